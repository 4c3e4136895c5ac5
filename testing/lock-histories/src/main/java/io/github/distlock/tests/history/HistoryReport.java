package io.github.distlock.tests.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a history contains, and what in it cannot be. Immutable. */
public final class HistoryReport {
    private static final int SHOWN = 20;

    private final List<Violation> violations;
    private final Coverage coverage;
    private final Map<String, Long> figures;

    HistoryReport(List<Violation> violations, Coverage coverage, Map<String, Long> figures) {
        this.violations = List.copyOf(violations);
        this.coverage = coverage;
        this.figures = new TreeMap<>(figures);
    }

    static HistoryReport of(History history, HistoryChecker checker, List<Violation> others) {
        List<Violation> violations = new ArrayList<>(others);
        violations.addAll(checker.check());
        Map<String, Long> figures = new TreeMap<>();
        history.operations().forEach(operation -> {
            figures.merge("acquires, " + operation.how, 1L, Long::sum);
            if (operation.isGranted()) {
                figures.merge("grants, " + operation.how, 1L, Long::sum);
            }
            if (operation.lostAt != Operation.NEVER) {
                figures.merge("losses, " + operation.loss, 1L, Long::sum);
            }
        });
        history.injuries().forEach(injury -> {
            figures.merge("faults, " + injury.kind(), 1L, Long::sum);
            if (hits(history, injury)) {
                figures.merge("hits, " + injury.aim() + " by " + injury.kind(), 1L, Long::sum);
            }
        });
        figures.put("processes", (long) history.processes().size());
        figures.put("grants of fair locks whose order was checked", checker.ordered());
        Coverage coverage = new Coverage(
                sum(figures, "grants, "), sum(figures, "hits, "), ambiguous(history), sum(figures, "losses, "));
        return new HistoryReport(violations, coverage, figures);
    }

    private static long sum(Map<String, Long> figures, String prefix) {
        return figures.entrySet().stream()
                .filter(figure -> figure.getKey().startsWith(prefix))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /** A process that was killed wrote no more; what it had begun was hit. */
    private static boolean hits(History history, Injury injury) {
        return switch (injury.aim()) {
            case SERVER -> true;
            case ACQUIRER -> false;
            case HOLDER ->
                aimedAt(history, injury).stream()
                        .anyMatch(operation ->
                                operation.grantedAt <= injury.from() && operation.endedAt() >= injury.from());
            case FIRST_WAITER ->
                aimedAt(history, injury).stream()
                        .anyMatch(operation ->
                                operation.invokedAt <= injury.from() && operation.returnedAt() >= injury.from());
        };
    }

    private static List<Operation> aimedAt(History history, Injury injury) {
        return history.processes().stream()
                .filter(injury::concerns)
                .flatMap(process -> process.operations.stream())
                .filter(operation -> operation.lock.equals(injury.lock()))
                .toList();
    }

    /** Requests that failed while a reply on their link was dropped. */
    private static long ambiguous(History history) {
        Map<Long, List<Injury>> dropped = history.injuries().stream()
                .filter(injury -> injury.kind() == Injury.Kind.REPLY_DROPPED)
                .collect(Collectors.groupingBy(Injury::process));
        return history.processes().stream()
                .mapToLong(process -> process.failures.stream()
                        .filter(failure -> dropped.getOrDefault(process.number, List.of()).stream()
                                .anyMatch(injury -> injury.overlaps(failure.until(), failure.at())))
                        .count())
                .sum();
    }

    /**
     * What cannot be.
     *
     * @return all of it; empty when nothing was found
     */
    public List<Violation> violations() {
        return violations;
    }

    /**
     * How much happened.
     *
     * @return the figures that decide whether the history proves anything
     */
    public Coverage coverage() {
        return coverage;
    }

    /**
     * Fails unless the history contains enough and nothing that cannot be. A history with too little in it is invalid, not
     * green.
     *
     * @param minimum what it has to contain
     * @throws AssertionError with what was found
     */
    public void verify(Coverage minimum) {
        if (!violations.isEmpty()) {
            throw new AssertionError("the history shows what must not be: " + this);
        }
        if (!coverage.reaches(minimum)) {
            throw new AssertionError("the history is invalid: too little happened in it to prove anything, at least "
                    + minimum + " is wanted: " + this);
        }
    }

    /** All figures, and the first violations. */
    @Override
    public String toString() {
        return Stream.of(
                        Stream.of(coverage.toString()),
                        figures.entrySet().stream().map(figure -> figure.getKey() + ": " + figure.getValue()),
                        Stream.of(violations.size() + " violations"),
                        violations.stream().limit(SHOWN).map(Violation::toString))
                .flatMap(lines -> lines)
                .collect(Collectors.joining("\n  "));
    }
}
