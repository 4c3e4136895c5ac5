package io.github.distlock.spi;

/**
 * What a store may offer besides exclusive locks with a lease. A backend that declares a capability must keep its rules
 * in the contract. For a missing capability, the contract checks the refusal.
 */
public enum Capability {
    /** Serves waiting contenders in the order in which they first asked, among all clients. */
    FAIR,
    /** Reports holders and waiters of a lock: {@link LockBackend#inspect}. */
    INSPECT,
    /** Lists the names of locks that are in use: {@link LockBackend#list}. Of use only with {@link #INSPECT}. */
    LIST,
    /** Takes a lock away from its holder: {@link LockBackend#forceRelease}. Of use only with {@link #INSPECT}. */
    FORCE_RELEASE,
    /**
     * Sets a longer lease in a renewal: {@link Renewal#lease()}. Without this, a hold can be extended only by what a
     * usual renewal proves.
     */
    CHANGE_LEASE,
    /**
     * Grants {@link LockMode#READ} and {@link LockMode#WRITE} holds, and turns a write hold into a read hold:
     * {@link Grant#downgrade}.
     */
    READ_WRITE,
    /** Grants {@linkplain LockMode#permits permits} out of a bounded number. */
    PERMITS,
    /**
     * Notifies the client of a {@linkplain LockRequest#isSticky sticky} hold of each busy answer to another contender:
     * {@link Grant#hearsOthers}.
     */
    STICKY,
    /**
     * Passes requests to release a lock on to its holders: {@link LockBackend#requestRelease}. An inspector sends them,
     * which exists only with {@link #INSPECT}.
     */
    RELEASE_REQUESTS,
    /** Keeps a lock busy for some time after its hold was lost: {@link LockRequest#lockDelay}. */
    LOCK_DELAY
}
