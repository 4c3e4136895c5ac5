package io.github.distlock.tests.history;

import java.time.Duration;

/** Histories of some seconds in the standard run, and of as many as {@code -Dlock.history.seconds} says. */
public final class HistoryLength {
    private static final int STANDARD = 8;
    private static final int LONG = 60;
    /** In the standard run, in which other tests run beside the history. */
    private static final Duration REST = Duration.ofMillis(40);

    private static final int REPEATS = 2;
    private static final int SECONDS = Integer.getInteger("lock.history.seconds", STANDARD);
    private static final int PROCESSES = Integer.getInteger("lock.history.processes", 3);

    private HistoryLength() {}

    /**
     * Runs a history, prints its figures, and verifies it.
     *
     * @param name for people
     * @param history what to run
     * @param tenMinutes what ten minutes have to contain; longer and shorter runs their share. The standard run, which mostly
     *     starts processes, has to contain something of each, but losses, for which it is too short; it is repeated twice at most
     *     when the machine has let too little happen
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
            System.out.println(name + ": invalid, at least " + minimum + " is wanted; once more");
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
                .atLeast(5, 10)
                .seed(Long.getLong("lock.history.seed", System.nanoTime()))
                .run();
        System.out.println(name + ", " + SECONDS + " s, " + PROCESSES + " processes: " + report);
        return report;
    }
}
