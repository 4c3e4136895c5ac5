package io.github.distlock;

import io.github.distlock.engine.Checks;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the acquires of a lock ask for. Immutable: each method returns a changed copy.
 *
 * <p>Defaults: a lease of 30 s, renewed for as long as the handle is open; no maximum; waiters of one client pass the
 * lock among themselves for a short while before the store's queue decides again.
 */
public final class LockOptions {
    private static final LockOptions DEFAULTS = new LockOptions(Duration.ofSeconds(30), true, false, null);

    private final Duration lease;
    private final boolean leaseRenewed;
    private final boolean fair;
    private final @Nullable Duration maximumHold;

    private LockOptions(Duration lease, boolean leaseRenewed, boolean fair, @Nullable Duration maximumHold) {
        this.lease = lease;
        this.leaseRenewed = leaseRenewed;
        this.fair = fair;
        this.maximumHold = maximumHold;
    }

    /**
     * The defaults.
     *
     * @return options to start from
     */
    public static LockOptions defaults() {
        return DEFAULTS;
    }

    /**
     * A lease that is renewed, at a third of its length, for as long as the handle is open. Its length is how long a
     * crashed holder blocks the others, and how long an outage of the store a holder survives.
     *
     * @param lease at least the store's minimum (100 ms on most), at most 24 h
     * @return changed options
     * @throws IllegalArgumentException when it is not positive or longer than 24 h; the store's minimum is checked when
     *     a lock is made
     */
    public LockOptions renewedLease(Duration lease) {
        return new LockOptions(Checks.lease(lease), true, fair, maximumHold);
    }

    /**
     * A lease that is not renewed: the hold ends by itself, as lost with {@link LossReason#LEASE_ENDED}, a little
     * before this time is over (by the allowance for clocks).
     *
     * @param lease at least the store's minimum (100 ms on most), at most 24 h
     * @return changed options
     * @throws IllegalArgumentException as for {@link #renewedLease}
     */
    public LockOptions fixedLease(Duration lease) {
        return new LockOptions(Checks.lease(lease), false, fair, maximumHold);
    }

    /**
     * Every waiter stands in the store's own queue, so that grants come first come, first served over all clients, as
     * long as all clients of the name ask for this. Each grant then costs a hand-over through the store.
     *
     * <p>Who came first is what the store says: a waiter comes when the store first answers that the lock is busy. Two
     * acquires that ask at the same time may come in either order, also two asynchronous ones that one thread has begun
     * one after the other.
     *
     * @return changed options
     */
    public LockOptions fair() {
        return new LockOptions(lease, leaseRenewed, true, maximumHold);
    }

    /**
     * A bound on a hold, however often its lease is renewed: then it is ended, as lost with
     * {@link LossReason#MAXIMUM_HOLD}. For holders that may hang.
     *
     * @param time positive; more than 100 years counts as 100 years
     * @return changed options
     * @throws IllegalArgumentException when it is not positive
     */
    public LockOptions maximumHold(Duration time) {
        Objects.requireNonNull(time, "time");
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("time must be positive, but was " + time);
        }
        return new LockOptions(lease, leaseRenewed, fair, time);
    }

    /**
     * The length of the lease.
     *
     * @return 30 s unless set
     */
    public Duration lease() {
        return lease;
    }

    /**
     * Whether the lease is renewed.
     *
     * @return true unless set by {@link #fixedLease}
     */
    public boolean isLeaseRenewed() {
        return leaseRenewed;
    }

    /**
     * Whether every waiter stands in the store's own queue.
     *
     * @return false unless set by {@link #fair()}
     */
    public boolean isFair() {
        return fair;
    }

    /**
     * The bound on a hold.
     *
     * @return empty unless set by {@link #maximumHold(Duration)}
     */
    public Optional<Duration> maximumHold() {
        return Optional.ofNullable(maximumHold);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockOptions that
                && that.lease.equals(lease)
                && that.leaseRenewed == leaseRenewed
                && that.fair == fair
                && Objects.equals(that.maximumHold, maximumHold);
    }

    @Override
    public int hashCode() {
        return Objects.hash(lease, leaseRenewed, fair, maximumHold);
    }

    @Override
    public String toString() {
        return (leaseRenewed ? "renewed" : "fixed") + " lease of " + lease
                + (fair ? ", fair" : "")
                + (maximumHold == null ? "" : ", at most " + maximumHold);
    }
}
