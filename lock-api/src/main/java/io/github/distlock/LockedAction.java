package io.github.distlock;

/**
 * What runs under a lock.
 *
 * @param <X> what it throws
 */
@FunctionalInterface
public interface LockedAction<X extends Exception> {
    /**
     * Runs while the lock is held.
     *
     * @param held the hold: for its {@link LockHandle#fencingToken()}, and {@link LockHandle#ensureHeld()} in long
     *     loops
     * @throws X when it fails
     */
    void run(LockHandle held) throws X;
}
