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

    private boolean isMaximumFirst() {
        return maximum != null && (lease == null || maximum.isBefore(lease));
    }

    /** Returns the first of them, or null. */
    @Nullable
    Expiry first() {
        return isMaximumFirst() ? maximum : lease;
    }

    LossReason reason() {
        return isMaximumFirst() ? LossReason.MAXIMUM_HOLD : LossReason.LEASE_ENDED;
    }
}
