package io.github.distlock.engine;

import io.github.distlock.spi.Moment;

/**
 * When something ends, on two clocks: it has ended when <em>either</em> says so. The monotonic clock stops while a
 * machine is suspended, the wall clock does not; the wall clock jumps, the monotonic one does not. A wall clock that
 * jumps ahead ends a hold early, which is safe; one that jumps back changes nothing.
 *
 * <p>This is the one class that reckons with the wall clock; an architecture test says so. Immutable.
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

    /** What is left by the clock that has less; zero or less once it is past. */
    long remainingNanos(Moment now) {
        return Math.min(nanoTime - now.nanoTime(), (wallMillis - now.wallMillis()) * NANOS_PER_MILLI);
    }

    /** By the monotonic clock, which alone tells for how long to sleep. */
    long nanoTime() {
        return nanoTime;
    }

    boolean isBefore(Expiry other) {
        return nanoTime - other.nanoTime < 0;
    }
}
