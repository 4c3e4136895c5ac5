package io.github.distlock.tests;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/**
 * When this JVM stood still: for its garbage collector, behind other processes, or because the machine under it did not run. A
 * thread that takes short naps sees by how much it wakes up too late, as <a href="https://github.com/giltene/jHiccup">jHiccup</a>
 * does.
 */
final class Stalls {
    private static final long NAP = Duration.ofMillis(20).toNanos();
    private static final long NOTABLE = Duration.ofMillis(100).toNanos();
    private static final int MOST_CHECKS = 3;

    private static final List<Stall> SEEN = new CopyOnWriteArrayList<>();
    private static volatile long awakeAt = System.nanoTime();

    static {
        Thread watcher = new Thread(Stalls::watch, "distlock-tests-stalls");
        watcher.setDaemon(true);
        watcher.start();
    }

    private record Stall(long end, long nanos) {}

    private final long begin = System.nanoTime();

    private Stalls() {}

    static Stalls fromNow() {
        return new Stalls();
    }

    private static void watch() {
        while (true) {
            LockSupport.parkNanos(NAP);
            long now = System.nanoTime();
            long stall = now - awakeAt - NAP;
            if (stall > NOTABLE) {
                SEEN.add(new Stall(now, stall));
            }
            awakeAt = now;
        }
    }

    interface Check {
        void run() throws Throwable;
    }

    /**
     * Checks again what has failed in a stall that is longer than what the check allows for. The last check counts in any case.
     *
     * @param again what to do with the stall and the failure before that
     */
    static void check(Duration slack, Check check, BiConsumer<Duration, Throwable> again) throws Throwable {
        boolean passed = false;
        for (int left = MOST_CHECKS - 1; !passed; left--) {
            Stalls stalls = fromNow();
            try {
                check.run();
                passed = true;
            } catch (Throwable failure) {
                Duration stall = stalls.longest();
                if (left == 0
                        || stall.compareTo(slack) <= 0
                        || Thread.currentThread().isInterrupted()) {
                    throw failure;
                }
                again.accept(stall, failure);
            }
        }
    }

    /** Since then, also the one from which the watcher has not woken up yet. */
    Duration longest() {
        long longest = Math.max(0, System.nanoTime() - awakeAt - NAP);
        for (Stall stall : SEEN) {
            if (stall.end - begin > 0) {
                longest = Math.max(longest, stall.nanos);
            }
        }
        return Duration.ofNanos(longest);
    }
}
