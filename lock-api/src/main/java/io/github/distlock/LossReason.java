package io.github.distlock;

/** Why a hold ended before it was released. More may come: let a {@code switch} have a default. */
public enum LossReason {
    /**
     * Its time ran out and no renewal was confirmed in time: the store did not answer, or this process or machine stood
     * still.
     */
    EXPIRED,
    /** The store says that the hold is no longer there: deleted, taken by force, evicted, or its session is over. */
    GONE,
    /** Its {@linkplain LockOptions#fixedLease fixed lease} is over. */
    LEASE_ENDED,
    /** Its {@linkplain LockOptions#maximumHold(java.time.Duration) maximum} is reached. */
    MAXIMUM_HOLD,
    /** The client was closed while it was held. */
    CLIENT_CLOSED
}
