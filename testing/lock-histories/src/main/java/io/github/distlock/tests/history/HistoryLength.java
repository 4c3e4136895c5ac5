package io.github.distlock.tests.history;

import java.time.Duration;

/** Runs histories of 8 s, or of {@code -Dlock.history.seconds}. */
public final class HistoryLength {
    private static final int STANDARD = 8;
    private static final int LONG = 60;
    /** Leaves CPU to the other histories and experiments that run beside a standard history. */
    private static final Duration REST = Duration.ofMillis(40);

    private static final int REPEATS = 2;
    private static final int SECONDS = Integer.getInteger("lock.history.seconds", STANDARD);
    private static final int PROCESSES = Integer.getInteger("lock.history.processes", 3);

    private HistoryLength() {}

    /**
     * Runs a history, prints its figures, and verifies it. Runs a history of less than a minute up to three times until
     * it contains enough.
     *
     * @param name the name of the history in the output
     * @param history the history
     * @param tenMinutes the least counts of a history of ten minutes; another length needs its share. A history of less
     *     than a minute needs a fifth of its share of grants and at least one of each other count, except losses
     * @throws AssertionError if the history breaks a rule or contains too little
     * @throws InterruptedException if the calling thread is interrupted
     */
    public static void run(String name, HistoryRun history, Coverage tenMinutes) throws InterruptedException {
        double share = SECONDS / 600.0;
        if (SECONDS >= LONG) {
            run(name, history)
                    .verify(new Coverage(
                            (long) (tenMinutes.grants() * share),
                            (long) (tenMinutes.aimedFaults() * share),
                            (long) (tenMinutes.ambiguousAcquires() * share),
                            (long) (tenMinutes.losses() * share)));
            return;
        }
        Coverage minimum = new Coverage((long) (tenMinutes.grants() * share / 5), 1, 1, 0);
        history.rest(REST);
        HistoryReport report = run(name, history);
        for (int left = REPEATS; left > 0 && isOnlyInvalid(report, minimum); left--) {
            System.out.println(name + ": invalid, repeated because it needs at least " + minimum);
            report = run(name, history);
        }
        report.verify(minimum);
    }

    private static boolean isOnlyInvalid(HistoryReport report, Coverage minimum) {
        return report.violations().isEmpty() && !report.coverage().reaches(minimum);
    }

    private static HistoryReport run(String name, HistoryRun history) throws InterruptedException {
        HistoryReport report = history.duration(Duration.ofSeconds(SECONDS))
                .processes(PROCESSES, 1 + PROCESSES / 3)
                .atLeast(3, 5)
                .seed(Long.getLong("lock.history.seed", System.nanoTime()))
                .run();
        System.out.println(name + ", " + SECONDS + " s, " + PROCESSES + " processes: " + report);
        return report;
    }
}
