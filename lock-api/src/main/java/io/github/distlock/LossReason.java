package io.github.distlock;

/** Why a hold ended before its release. More reasons may come, so give a {@code switch} a default. */
public enum LossReason {
    /**
     * The lease ended before a renewal was confirmed: the store did not answer, or this process or machine stood still.
     */
    EXPIRED,
    /**
     * The store answered that it no longer has the hold: it was deleted, released by force, evicted, or its session
     * ended.
     */
    GONE,
    /** The {@linkplain LockOptions#fixedLease fixed lease} is over. */
    LEASE_ENDED,
    /** The {@linkplain LockOptions#maximumHold(java.time.Duration) maximum} is over. */
    MAXIMUM_HOLD,
    /** The client was closed while it held the lock. */
    CLIENT_CLOSED,
    /** The process was about to be checkpointed while it held the lock: two copies of it must not both hold. */
    CHECKPOINT
}
