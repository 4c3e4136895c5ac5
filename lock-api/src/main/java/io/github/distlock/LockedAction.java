package io.github.distlock;

/**
 * Work that runs under a lock.
 *
 * @param <X> what it throws
 */
@FunctionalInterface
public interface LockedAction<X extends Exception> {
    /**
     * Runs while the lock is held.
     *
     * @param held the hold: for its {@link LockHandle#fencingToken()}, and for {@link LockHandle#ensureHeld()} in long
     *     loops
     * @throws X if it fails
     */
    void run(LockHandle held) throws X;
}
