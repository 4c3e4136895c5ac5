package io.github.distlock.spi;

import java.time.Duration;

/**
 * One hold that is due for renewal. The engine makes it, and the backend answers it, once at most, from any thread,
 * before {@link LockBackend#renewAll} returns. The engine ignores later answers.
 */
public interface Renewal {

    /**
     * Returns the hold to renew.
     *
     * @return a grant of this backend
     */
    Grant grant();

    /**
     * Returns the lease to set. It differs from the requested one only with {@link Capability#CHANGE_LEASE}. If the
     * store keeps the hold for longer already, that does not change: renewals of one hold may arrive in any order, and
     * the engine relies on the longest one that was confirmed.
     *
     * @return a positive length
     */
    Duration lease();

    /**
     * Answers that the store has extended the hold.
     *
     * @param validity begins before the request that proves it was sent
     */
    void renewed(Validity validity);

    /**
     * Answers that the store no longer has this hold: it has expired, even if the lock is free, it was released by
     * force, or another contender holds the lock.
     */
    void gone();

    /**
     * Answers that nothing is known. The hold is valid for as long as before.
     *
     * @param cause what went wrong, with the server's words
     */
    void unknown(Throwable cause);
}
