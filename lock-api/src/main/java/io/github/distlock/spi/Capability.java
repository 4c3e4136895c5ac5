package io.github.distlock.spi;

/**
 * What a store may offer beyond exclusive locks with a lease. A backend that declares one has to keep its rules in the
 * contract suite; for one that it does not declare, the suite checks the refusal.
 */
public enum Capability {
    /** Serves waiting contenders in the order in which they first asked, over all clients. */
    FAIR,
    /** Reports holder and waiters of a lock: {@link LockBackend#inspect}. */
    INSPECT,
    /** Takes a lock away from its holder: {@link LockBackend#forceRelease}. Of use only with {@link #INSPECT}. */
    FORCE_RELEASE,
    /** Sets the lease anew, to another length, when it renews: {@link Renewal#lease()}. */
    CHANGE_LEASE,
    /** Grants {@link LockMode#SHARED} holds side by side. */
    SHARED,
    /** Grants {@linkplain LockMode#permits permits} out of a bounded number. */
    PERMITS
}
