package io.github.distlock.spring;

import io.github.distlock.LockException;

/**
 * What a call of a {@link DistributedLocked} method does if the lock is still busy when its time to wait is over. A
 * store that does not answer is another matter: then the call throws a {@link LockException} in any case. The method
 * never runs without the lock.
 */
public enum OnBusy {
    /** Throws a {@link LockBusyException}. */
    THROW,
    /**
     * Returns without a call of the method: null, an empty {@link java.util.Optional}, {@link java.util.OptionalInt},
     * {@link java.util.OptionalLong} or {@link java.util.OptionalDouble}, a future that is completed with null, or an
     * empty publisher. A method with a primitive return type cannot be skipped.
     */
    SKIP,
    /** Calls the method that {@link DistributedLocked#fallback} names, without the lock. */
    FALLBACK
}
