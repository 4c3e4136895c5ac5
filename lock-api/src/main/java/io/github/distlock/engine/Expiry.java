package io.github.distlock.engine;

import io.github.distlock.spi.Moment;

/**
 * The end of something, on two clocks: it has ended if <em>either</em> clock says so. The monotonic clock stops while a
 * machine is suspended; the wall clock does not. The wall clock jumps; the monotonic clock does not. If the wall clock
 * jumps ahead, a hold ends early, which is safe. If it jumps back, nothing changes.
 *
 * <p>Except for {@link Moment} itself, no other class calculates with the wall clock; an architecture test checks this.
 * Immutable.
 */
final class Expiry {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Moment end;

    private Expiry(Moment end) {
        this.end = end;
    }

    static Expiry after(Moment from, long nanos) {
        return new Expiry(from.plusNanos(nanos));
    }

    boolean isPast(Moment now) {
        return remainingNanos(now) <= 0;
    }

    /** Returns what is left on the clock that has less; zero or less once it is past. */
    long remainingNanos(Moment now) {
        return Math.min(end.nanoTime() - now.nanoTime(), (end.wallMillis() - now.wallMillis()) * NANOS_PER_MILLI);
    }

    /** Returns the end on the monotonic clock, which decides how long a thread sleeps. */
    long nanoTime() {
        return end.nanoTime();
    }

    /**
     * Returns whether this end is earlier on the monotonic clock. If the wall clock has jumped since one of them was
     * made, less may be left until the other one. So {@link #remainingNanos} says which of them counts.
     */
    boolean isBefore(Expiry other) {
        return nanoTime() - other.nanoTime() < 0;
    }
}
