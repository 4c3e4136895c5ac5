package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockInspector;
import io.github.distlock.LockStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Shows the locks in use again and again. Asks for the names and for each lock, so it costs a request per lock.
 *
 * <p>On a terminal, it goes on while the store does not answer: its reader may be waiting for just that. A program that
 * reads the output gets the exit code instead.
 */
@Command(
        name = "top",
        description = "Shows the locks in use, those with the most waiters first, until it is interrupted.",
        mixinStandardHelpOptions = true)
final class TopVerb implements Callable<Integer> {
    private static final String HOME = "\u001b[H";
    private static final String END_OF_LINE = "\u001b[K";
    private static final String END_OF_SCREEN = "\u001b[J";
    private static final int HEAD = 3;
    private static final int MOST = 100_000;

    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            defaultValue = "1s",
            converter = DurationOption.class,
            description = "How long to wait from view to view; ${DEFAULT-VALUE} by default.")
    Duration interval = Duration.ZERO;

    @Option(
            names = "--count",
            paramLabel = "NUMBER",
            defaultValue = "0",
            description = "End after so many views; by default, never.")
    int count;

    @Option(
            names = "--limit",
            paramLabel = "NUMBER",
            defaultValue = "200",
            description = "How many locks to look at; ${DEFAULT-VALUE} by default.")
    int limit;

    @Parameters(paramLabel = "PREFIX", arity = "0..1", defaultValue = "", description = "What the names begin with.")
    String prefix = "";

    private List<String> view = new ArrayList<>(List.of(""));
    private long answered = System.nanoTime();

    @Override
    public Integer call() throws InterruptedException {
        Failure.requirePositive("--interval", interval);
        Failure.requireRange("--count", count, 0, Integer.MAX_VALUE);
        Failure.requireRange("--limit", limit, 1, MOST);
        boolean isScreen = output.form == Output.Form.TEXT && Terminal.isOutput();
        try (LockClient client = store.client()) {
            for (int views = 1; ; views++) {
                if (isScreen) {
                    showOnScreen(client.inspector(), views == count);
                } else {
                    List<LockStatus> locks = look(client.inspector());
                    output.print(
                            Map.of("locks", locks.stream().map(Locks::json).toList()), lines(locks, Instant.now()));
                }
                if (views == count || System.out.checkError()) { // its reader may have ended
                    return 0;
                }
                TimeUnit.NANOSECONDS.sleep(interval.toNanos());
            }
        }
    }

    /** Shows the view before, with the error in its first line, as long as the store does not answer. */
    private void showOnScreen(LockInspector inspector, boolean isLast) throws InterruptedException {
        try {
            view = lines(look(inspector), Instant.now());
            answered = System.nanoTime();
        } catch (LockException e) {
            if (isLast || ExitCode.of(e) != ExitCode.UNAVAILABLE) {
                throw e;
            }
            Duration silence = Duration.ofNanos(System.nanoTime() - answered);
            view.set(0, "no answer for " + Locks.seconds(silence) + ": " + e.getMessage());
        }
        System.out.print(screen(view, Terminal.size()));
        System.out.flush();
    }

    private List<LockStatus> look(LockInspector inspector) {
        return inspector.list(prefix, limit).stream()
                .map(inspector::inspect)
                .sorted(Comparator.comparing(
                                (LockStatus lock) -> -lock.waiters().size())
                        .thenComparing(LockStatus::lockName))
                .toList();
    }

    static List<String> lines(List<LockStatus> locks, Instant now) {
        long held = locks.stream().filter(lock -> !lock.holders().isEmpty()).count();
        long waiters = locks.stream().mapToLong(lock -> lock.waiters().size()).sum();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("LOCK", "WAITERS", "LONGEST", "HELD", "LEASE", "HOLDER"));
        locks.forEach(lock -> rows.add(row(lock, now)));
        List<String> lines = new ArrayList<>();
        lines.add("locks " + locks.size() + ", held " + held + ", waiters " + waiters);
        lines.add("");
        lines.addAll(Output.table(rows));
        return lines;
    }

    private static List<String> row(LockStatus lock, Instant now) {
        String longest = lock.waiters().stream()
                .map(LockStatus.Waiter::since)
                .min(Comparator.naturalOrder())
                .map(since -> age(since, now))
                .orElse("-");
        String held = lock.holders().stream()
                .map(LockStatus.Holder::since)
                .min(Comparator.naturalOrder())
                .map(since -> age(since, now))
                .orElse("-");
        String lease = lock.holders().stream()
                .map(LockStatus.Holder::remainingLease)
                .min(Comparator.naturalOrder())
                .or(() -> lock.kept().map(LockStatus.Kept::remaining))
                .map(Locks::seconds)
                .orElse("-");
        return List.of(lock.lockName(), String.valueOf(lock.waiters().size()), longest, held, lease, holder(lock));
    }

    /** The store's clock may be ahead. */
    private static String age(Instant since, Instant now) {
        return Locks.seconds(since.isAfter(now) ? Duration.ZERO : Duration.between(since, now));
    }

    private static String holder(LockStatus lock) {
        if (lock.kept().isPresent()) {
            return "kept";
        }
        if (lock.holders().isEmpty()) {
            return "-";
        }
        LockStatus.Holder first = lock.holders().get(0);
        int more = lock.holders().size() - 1;
        return first.owner().client() + " " + first.owner().processId() + "@"
                + first.owner().host() + (more == 0 ? "" : " and " + more + " more");
    }

    /** Writes over the view before, without a blank screen between them. */
    static String screen(List<String> lines, Terminal.Size size) {
        int rows = Math.max(HEAD, size.rows() - 1);
        return lines.stream()
                .limit(rows)
                .map(Output::printable)
                .map(line -> Width.cut(line, size.columns()) + END_OF_LINE + "\n")
                .collect(Collectors.joining("", HOME, END_OF_SCREEN));
    }
}
