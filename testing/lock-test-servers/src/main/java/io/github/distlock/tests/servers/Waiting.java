package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for conditions and for time, by the machine's clock, and until the test is interrupted. */
public final class Waiting {
    private static final long STEP_NANOS = 1_000_000;

    private Waiting() {}

    /**
     * Waits for a condition.
     *
     * @param limit how long; it is looked at once at least
     * @param condition asked again and again, by this thread
     * @return whether it has come true within the limit
     * @throws IllegalStateException when this thread is interrupted; it stays so
     */
    public static boolean until(Duration limit, BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > limit.toNanos()) {
                return false;
            }
            park(STEP_NANOS);
        }
        return true;
    }

    /**
     * Expects that a condition comes true.
     *
     * @param expected what it means, for the error
     * @param limit how long; it is looked at once at least
     * @param condition asked again and again, by this thread
     * @throws AssertionError when it has not come true within the limit
     * @throws IllegalStateException when this thread is interrupted; it stays so
     */
    public static void await(String expected, Duration limit, BooleanSupplier condition) {
        if (!until(limit, condition)) {
            throw new AssertionError("expected within " + limit.toMillis() + " ms: " + expected);
        }
    }

    /**
     * Lets time pass.
     *
     * @param time at least this
     * @throws IllegalStateException when this thread is interrupted; it stays so
     */
    public static void letPass(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            park(left);
        }
    }

    private static void park(long nanos) {
        LockSupport.parkNanos(nanos);
        if (Thread.currentThread().isInterrupted()) {
            throw new IllegalStateException("the test was interrupted, probably by its time-out");
        }
    }
}
