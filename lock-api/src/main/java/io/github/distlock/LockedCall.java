package io.github.distlock;

/**
 * Work that computes a value under a lock.
 *
 * @param <T> the type of the value
 * @param <X> what it throws
 */
@FunctionalInterface
public interface LockedCall<T, X extends Exception> {
    /**
     * Computes while the lock is held.
     *
     * @param held the hold: for its {@link LockHandle#fencingToken()}, and for {@link LockHandle#ensureHeld()} in long
     *     loops
     * @return the value
     * @throws X if it fails
     */
    T call(LockHandle held) throws X;
}
