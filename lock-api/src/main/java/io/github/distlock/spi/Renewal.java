package io.github.distlock.spi;

import java.time.Duration;

/**
 * One hold that is due for renewal; made by the engine, answered by the backend, at most once, from any thread, before
 * {@link LockBackend#renewAll} returns. Later answers are ignored.
 */
public interface Renewal {

    /**
     * The hold to renew.
     *
     * @return a grant of this backend
     */
    Grant grant();

    /**
     * The lease to set. Differs from the one requested only with {@link Capability#CHANGE_LEASE}.
     *
     * @return a positive length
     */
    Duration lease();

    /**
     * The store has extended the hold.
     *
     * @param validity dated before the request that proves it was sent
     */
    void renewed(Validity validity);

    /**
     * The store no longer has this hold: it has expired (also when nobody has taken the lock since), was taken away, or
     * another has the lock.
     */
    void gone();

    /**
     * No answer, or one that proves nothing: the hold is good for as long as it was before.
     *
     * @param cause what went wrong, with the server's words
     */
    void unknown(Throwable cause);
}
