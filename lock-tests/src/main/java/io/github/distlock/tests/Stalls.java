package io.github.distlock.tests;

import io.github.distlock.tests.servers.StallWatch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;

/** For how long this JVM stood still during a check, and what that means for the check. */
final class Stalls {
    private static final int MOST_CHECKS = 3;

    private static final List<Stall> SEEN = new CopyOnWriteArrayList<>();
    private static final StallWatch WATCH =
            StallWatch.start(() -> true, (from, until) -> SEEN.add(new Stall(from, until)));

    private record Stall(long from, long until) {}

    private final long begin = System.nanoTime();

    private Stalls() {}

    static Stalls fromNow() {
        return new Stalls();
    }

    interface Check {
        void run() throws Throwable;
    }

    /**
     * Checks again what has failed in a stall that is longer than what the check allows for, unless this thread is told to end. The
     * last check counts in any case.
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

    /** Since then, also the one from which the watch has not woken up yet. */
    Duration longest() {
        // In this order: a stall that ends in between is seen twice rather than not at all.
        long longest = System.nanoTime() - WATCH.awakeAt();
        for (Stall stall : SEEN) {
            if (stall.until - begin > 0) {
                longest = Math.max(longest, stall.until - stall.from);
            }
        }
        return Duration.ofNanos(longest);
    }
}
