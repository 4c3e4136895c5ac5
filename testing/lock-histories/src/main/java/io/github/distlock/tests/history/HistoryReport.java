package io.github.distlock.tests.history;

import io.github.distlock.spi.LockMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reports what a history contains and which rules it breaks. Immutable. */
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

    /** Reports a history of a store that has these modes. */
    static HistoryReport of(
            History history, HistoryChecker checker, List<Violation> others, List<LockMode.Kind> modes) {
        List<Violation> violations = new ArrayList<>(others);
        violations.addAll(checker.check());
        Map<String, Long> figures = new TreeMap<>();
        history.operations().forEach(operation -> {
            figures.merge("acquires, " + words(operation), 1L, Long::sum);
            if (operation.isGranted()) {
                figures.merge("grants, " + words(operation), 1L, Long::sum);
            }
            if (operation.lostAt != Operation.NEVER) {
                figures.merge("losses, " + operation.loss, 1L, Long::sum);
            }
        });
        history.faults().forEach(fault -> {
            figures.merge("faults, " + fault.kind(), 1L, Long::sum);
            if (strikes(history, fault)) {
                figures.merge("strikes, " + fault.aim() + " by " + fault.kind(), 1L, Long::sum);
            }
        });
        figures.put("processes", (long) history.processes().size());
        figures.put("grants of fair locks whose order was checked", checker.ordered());
        Coverage coverage = new Coverage(
                sum(figures, "grants, "),
                sum(figures, "strikes, "),
                ambiguous(history),
                sum(figures, "losses, "),
                grantsOfRarest(history, modes));
        return new HistoryReport(violations, coverage, figures);
    }

    /** Returns how an acquire was called, and the kind of its mode. */
    private static String words(Operation operation) {
        return operation.how.replaceAll("[ \\d]+$", "");
    }

    private static long grantsOfRarest(History history, List<LockMode.Kind> modes) {
        Map<LockMode.Kind, Long> grants = history.operations()
                .filter(Operation::isGranted)
                .collect(Collectors.groupingBy(operation -> operation.mode.kind(), Collectors.counting()));
        return modes.stream()
                .mapToLong(mode -> grants.getOrDefault(mode, 0L))
                .min()
                .orElse(0);
    }

    private static long sum(Map<String, Long> figures, String prefix) {
        return figures.entrySet().stream()
                .filter(figure -> figure.getKey().startsWith(prefix))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /** Returns whether the fault struck its target. What a killed process had begun counts as struck. */
    private static boolean strikes(History history, InjectedFault fault) {
        return switch (fault.aim()) {
            case SERVER -> true;
            case ACQUIRER -> false;
            case HOLDER ->
                aimedAt(history, fault).stream()
                        .anyMatch(operation ->
                                operation.grantedAt <= fault.from() && operation.endedAt() >= fault.from());
            case FIRST_WAITER ->
                aimedAt(history, fault).stream()
                        .anyMatch(operation ->
                                operation.invokedAt <= fault.from() && operation.returnedAt() >= fault.from());
        };
    }

    private static List<Operation> aimedAt(History history, InjectedFault fault) {
        return history.processes().stream()
                .filter(fault::concerns)
                .flatMap(process -> process.operations.stream())
                .filter(operation -> operation.lock.equals(fault.lock()))
                .toList();
    }

    /** Returns how many requests failed while the proxy dropped a reply on their connection. */
    private static long ambiguous(History history) {
        Map<Long, List<InjectedFault>> dropped = history.faults().stream()
                .filter(fault -> fault.kind() == InjectedFault.Kind.REPLY_DROPPED)
                .collect(Collectors.groupingBy(InjectedFault::process));
        return history.processes().stream()
                .mapToLong(process -> process.failures.stream()
                        .filter(failure -> dropped.getOrDefault(process.number, List.of()).stream()
                                .anyMatch(fault -> fault.overlaps(failure.until(), failure.at())))
                        .count())
                .sum();
    }

    /** {@return all violations} */
    public List<Violation> violations() {
        return violations;
    }

    /** {@return the counts that decide whether the history proves anything} */
    public Coverage coverage() {
        return coverage;
    }

    /**
     * Fails if the history breaks a rule or contains too little.
     *
     * @param minimum the least counts
     * @throws AssertionError if there is a violation or a count is less than its minimum; its message is this report
     */
    public void verify(Coverage minimum) {
        if (!violations.isEmpty()) {
            throw new AssertionError("the history breaks a rule: " + this);
        }
        if (!coverage.reaches(minimum)) {
            throw new AssertionError(
                    "the history is invalid, it needs at least " + minimum + " to prove anything: " + this);
        }
    }

    /** Returns all figures and the first 20 violations. */
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
