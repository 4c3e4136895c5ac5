package io.github.distlock.engine;

import io.github.distlock.LossReason;
import io.github.distlock.spi.Moment;
import org.jspecify.annotations.Nullable;

/**
 * When a hold ends although its lease does not. Immutable.
 *
 * @param lease the end of a fixed lease, or null
 * @param maximum the end of the maximum hold, or null
 */
record Limits(@Nullable Expiry lease, @Nullable Expiry maximum) {
    static final Limits NONE = new Limits(null, null);

    Limits withMaximum(Expiry end) {
        return new Limits(lease, end);
    }

    /** Moves the end of a fixed lease, if less is left until it. */
    Limits extended(Expiry end, Moment now) {
        return lease != null && lease.remainingNanos(now) < end.remainingNanos(now) ? new Limits(end, maximum) : this;
    }

    /** Returns the first of them on the monotonic clock, which decides how long a thread sleeps, or null. */
    @Nullable
    Expiry first() {
        return maximum != null && (lease == null || maximum.isBefore(lease)) ? maximum : lease;
    }

    /** Returns how many nanoseconds are left until the first of them, or {@code Long.MAX_VALUE} if there is none. */
    long remainingNanos(Moment now) {
        return Math.min(remaining(lease, now), remaining(maximum, now));
    }

    /** Returns why the hold ends at the first of them. */
    LossReason reason(Moment now) {
        return remaining(maximum, now) < remaining(lease, now) ? LossReason.MAXIMUM_HOLD : LossReason.LEASE_ENDED;
    }

    private static long remaining(@Nullable Expiry end, Moment now) {
        return end == null ? Long.MAX_VALUE : end.remainingNanos(now);
    }
}
