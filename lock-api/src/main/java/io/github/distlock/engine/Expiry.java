package io.github.distlock.engine;

import io.github.distlock.spi.Moment;

/**
 * The end of something, on two clocks: it has ended if <em>either</em> clock says so. The monotonic clock stops while a
 * machine is suspended; the wall clock does not. The wall clock jumps; the monotonic clock does not. If the wall clock
 * jumps ahead, a hold ends early, which is safe. If it jumps back, nothing changes.
 *
 * <p>No other class calculates with the wall clock; an architecture test checks this. Immutable.
 */
final class Expiry {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final long nanoTime;
    private final long wallMillis;

    private Expiry(long nanoTime, long wallMillis) {
        this.nanoTime = nanoTime;
        this.wallMillis = wallMillis;
    }

    static Expiry after(Moment from, long nanos) {
        return new Expiry(from.nanoTime() + nanos, from.wallMillis() + Math.floorDiv(nanos, NANOS_PER_MILLI));
    }

    boolean isPast(Moment now) {
        return remainingNanos(now) <= 0;
    }

    /** Returns what is left on the clock that has less; zero or less once it is past. */
    long remainingNanos(Moment now) {
        return Math.min(nanoTime - now.nanoTime(), (wallMillis - now.wallMillis()) * NANOS_PER_MILLI);
    }

    /** Returns the end on the monotonic clock, which decides how long a thread sleeps. */
    long nanoTime() {
        return nanoTime;
    }

    boolean isBefore(Expiry other) {
        return nanoTime - other.nanoTime < 0;
    }
}
