package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for conditions, never without a bound. */
final class Waiting {
    private static final long STEP_NANOS = 2_000_000;

    private Waiting() {}

    /** Whether the condition has come true within the limit. */
    static boolean until(Duration limit, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(STEP_NANOS);
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted, probably by the test's time-out");
            }
        }
        return true;
    }
}
