package io.github.distlock.tests.waiting;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for conditions and for time to pass, by {@link System#nanoTime()}. */
public final class Waiting {
    private static final long STEP_NANOS = 1_000_000;
    /** The mutation run sets it: a mutation keeps many conditions from ever being true. */
    private static final Duration LONGEST = Duration.ofMillis(Long.getLong("lock.longest-wait", Integer.MAX_VALUE));

    private Waiting() {}

    /**
     * Returns a limit that is not above the longest time that tests may wait.
     *
     * @param limit the longest time to wait if nothing else is said
     * @return the shorter time
     */
    public static Duration atMost(Duration limit) {
        return limit.compareTo(LONGEST) < 0 ? limit : LONGEST;
    }

    /**
     * Waits until a condition is true.
     *
     * @param limit the longest time to wait
     * @param condition the condition, which this thread checks once per millisecond, and at least once
     * @return whether the condition was true within the limit
     * @throws IllegalStateException if this thread is interrupted; it stays interrupted
     */
    public static boolean until(Duration limit, BooleanSupplier condition) {
        return untilHoweverLong(atMost(limit), condition);
    }

    /**
     * Waits as {@link #until} does, but also for longer than tests may wait. It is for what no mutation delays, such as
     * the start of a server on a busy machine.
     *
     * @param limit the longest time to wait
     * @param condition the condition, which this thread checks once per millisecond, and at least once
     * @return whether the condition was true within the limit
     * @throws IllegalStateException if this thread is interrupted; it stays interrupted
     */
    public static boolean untilHoweverLong(Duration limit, BooleanSupplier condition) {
        long most = limit.toNanos();
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > most) {
                return false;
            }
            park(STEP_NANOS);
        }
        return true;
    }

    /**
     * Waits until a condition is true, and fails if it does not become true.
     *
     * @param expected the meaning of the condition, for the error message
     * @param limit the longest time to wait
     * @param condition the condition, which this thread checks once per millisecond, and at least once
     * @throws AssertionError if the condition was not true within the limit
     * @throws IllegalStateException if this thread is interrupted; it stays interrupted
     */
    public static void await(String expected, Duration limit, BooleanSupplier condition) {
        if (!until(limit, condition)) {
            throw new AssertionError("expected within " + limit.toMillis() + " ms: " + expected);
        }
    }

    /**
     * Waits for a time.
     *
     * @param time the shortest time to wait
     * @throws IllegalStateException if this thread is interrupted; it stays interrupted
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
            throw new IllegalStateException("the test was interrupted, probably by its timeout");
        }
    }
}
