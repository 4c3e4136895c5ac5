package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockOwner;
import java.time.Duration;
import java.util.function.LongSupplier;

/** What a contender wants. The engine has checked everything in it. Immutable, except for {@link #baseAbove}. */
public final class LockRequest {
    private final String name;
    private final LockMode mode;
    private final Times times;
    private final boolean sticky;
    private final boolean waits;
    private final LockOwner owner;
    private final LongSupplier baseAbove;

    private record Times(Duration lease, Duration minimumHold, Duration lockDelay) {}

    private LockRequest(
            String name,
            LockMode mode,
            Times times,
            boolean sticky,
            boolean waits,
            LockOwner owner,
            LongSupplier baseAbove) {
        this.name = name;
        this.mode = mode;
        this.times = times;
        this.sticky = sticky;
        this.waits = waits;
        this.owner = owner;
        this.baseAbove = baseAbove;
    }

    /**
     * Requests an exclusive hold for a caller that waits.
     *
     * @param name the lock's name
     * @param lease how long the store keeps the hold of a silent client
     * @param owner the caller
     * @return the request
     */
    public static LockRequest exclusive(String name, Duration lease, LockOwner owner) {
        return new LockRequest(
                requireNonNull(name, "name"),
                LockMode.EXCLUSIVE,
                new Times(requireNonNull(lease, "lease"), Duration.ZERO, Duration.ZERO),
                false,
                true,
                requireNonNull(owner, "owner"),
                () -> 0);
    }

    /**
     * Returns the same request in another mode.
     *
     * @param newMode how holds share the lock
     * @return a new request
     */
    public LockRequest withMode(LockMode newMode) {
        requireNonNull(newMode, "newMode");
        return new LockRequest(name, newMode, times, sticky, waits, owner, baseAbove);
    }

    /**
     * Returns the same request for a hold whose release may {@linkplain Grant#keep keep} the lock.
     *
     * @param time how long the lock is busy after the grant at least
     * @return a new request
     */
    public LockRequest withMinimumHold(Duration time) {
        Times changed = new Times(times.lease, requireNonNull(time, "time"), times.lockDelay);
        return new LockRequest(name, mode, changed, sticky, waits, owner, baseAbove);
    }

    /**
     * Returns the same request for a hold that keeps the lock for some time if it is lost.
     *
     * @param time how long the lock is busy after the loss
     * @return a new request
     */
    public LockRequest withLockDelay(Duration time) {
        Times changed = new Times(times.lease, times.minimumHold, requireNonNull(time, "time"));
        return new LockRequest(name, mode, changed, sticky, waits, owner, baseAbove);
    }

    /**
     * Returns the same request for a hold that the client may keep for itself between two holders.
     *
     * @param newSticky whether it may
     * @return a new request
     */
    public LockRequest withSticky(boolean newSticky) {
        return new LockRequest(name, mode, times, newSticky, waits, owner, baseAbove);
    }

    /**
     * Returns the same request for a caller that asks once and needs no entry in the store's queue.
     *
     * @return a new request
     */
    public LockRequest withoutWaiting() {
        return new LockRequest(name, mode, times, sticky, false, owner, baseAbove);
    }

    /**
     * Returns the same request of a client that may already know a fencing base.
     *
     * @param greatestBase returns the greatest base that the client has been granted, for any lock; at least 0
     * @return a new request
     */
    public LockRequest withBaseAbove(LongSupplier greatestBase) {
        requireNonNull(greatestBase, "greatestBase");
        return new LockRequest(name, mode, times, sticky, waits, owner, greatestBase);
    }

    /**
     * Returns the lock's name.
     *
     * @return not blank, at most 1,024 bytes in UTF-8, without unpaired surrogates
     */
    public String name() {
        return name;
    }

    /**
     * Returns how the hold shares the lock with others.
     *
     * @return the mode, which the backend's {@linkplain LockBackend#capabilities capabilities} include
     */
    public LockMode mode() {
        return mode;
    }

    /**
     * Returns how long the store keeps the hold of a silent client, unless a session decides that.
     *
     * @return at least {@link LockBackend#minimumLease()}, at most 24 hours, in nanoseconds; a store that counts
     *     coarser rounds up
     */
    public Duration lease() {
        return times.lease;
    }

    /**
     * Returns how long the lock is busy after the grant at least, if the holder releases it. Only the engine knows when
     * a hold began, so it says at the release how long the store {@linkplain Grant#keep keeps} the lock.
     *
     * @return zero if no release of the hold keeps the lock, at most 24 hours
     */
    public Duration minimumHold() {
        return times.minimumHold;
    }

    /**
     * Returns how long the lock is busy after the hold was lost, in addition to the {@linkplain #lease() lease}. The
     * store counts it from the end of the lease, or of the session, if the client is silent. If the client knows of the
     * loss earlier, the engine {@linkplain Grant#keep keeps} the lock. During this time nobody has the hold: a renewal
     * and a release find that it is {@linkplain Grant.Release#GONE gone}, and change nothing.
     *
     * @return zero unless the backend has {@link Capability#LOCK_DELAY}, at most one minute, and only for
     *     {@link LockMode#EXCLUSIVE} holds
     */
    public Duration lockDelay() {
        return times.lockDelay;
    }

    /**
     * Returns whether the client may keep the hold for itself between two holders, as long as it is notified of other
     * contenders: {@link Grant#hearsOthers}.
     *
     * @return false unless the backend has {@link Capability#STICKY}, and only for {@link LockMode#EXCLUSIVE} holds
     */
    public boolean isSticky() {
        return sticky;
    }

    /**
     * Returns whether the caller asks more than once, so that an entry in the store's queue serves it.
     *
     * @return false for a single try
     */
    public boolean waits() {
        return waits;
    }

    /**
     * Returns the caller, as it was known when the contender was made. The store keeps it for
     * {@link LockBackend#inspect} only.
     *
     * @return the owner
     */
    public LockOwner owner() {
        return owner;
    }

    /**
     * Returns the greatest fencing base that the client has been granted by now, for any lock. A store whose bases
     * could decrease when it loses its data mints a base above this one. So its contender reads this at each attempt.
     * Other stores need not read it.
     *
     * @return 0 if the client has not been granted a lock
     */
    public long baseAbove() {
        return baseAbove.getAsLong();
    }

    @Override
    public String toString() {
        String asks = waits ? ", waits" : ", tries once";
        return "lock \"" + name + "\", " + mode + ", lease " + times.lease + asks + ", for " + owner;
    }
}
