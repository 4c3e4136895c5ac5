package io.github.distlock.engine;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Pauses after failures. They double, with jitter, so that clients do not return in step. */
final class Backoff {
    private static final long FIRST = Duration.ofMillis(10).toNanos();
    private static final int MOST_DOUBLINGS = 6;

    private Backoff() {}

    /** Returns a pause in nanoseconds, from 5 ms to 640 ms. */
    static long afterFailures(int failures) {
        long longest = FIRST << Math.min(failures, MOST_DOUBLINGS);
        return ThreadLocalRandom.current().nextLong(longest / 2, longest + 1);
    }

    static long longest() {
        return afterFailures(MOST_DOUBLINGS);
    }
}
