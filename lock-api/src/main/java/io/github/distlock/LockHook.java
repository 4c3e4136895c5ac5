package io.github.distlock;

/**
 * Runs on the thread that acquires or releases a lock, for what belongs to a thread: the spans of a trace, or the
 * context of log lines. All methods do nothing unless overridden; more may come. A {@link LockListener} is for
 * everything else.
 *
 * <p>A hook can neither fail nor prevent an acquire or a release: what it throws is logged. The time that it takes is
 * added to the caller's. While it runs in {@link #beforeWait}, other waiters of the client may have to wait for it. So
 * it must be quick.
 *
 * <p>Each {@link #beforeAcquire} is followed by one {@link #afterAcquire} on the same thread, and each
 * {@link #beforeRelease} by one {@link #afterRelease}. A hold has the latter two once, around the call that ends it, on
 * the thread of this call. They also run if the hold was lost before. A
 * {@linkplain DistributedReadWriteLock#downgrade downgrade} is the release of the write hold, and then an
 * {@code afterAcquire} of the read hold.
 *
 * <p>Hooks do not run for {@linkplain DistributedLock#acquireAsync() asynchronous} acquires and their holds, and for
 * acquires that cannot begin. Nor do they for {@linkplain DistributedLock#reentrant() reentrant} acquires of a hold
 * that exists, and for holds whose handle was dropped. For several locks as one, they run for each lock.
 */
public interface LockHook {

    /**
     * The calling thread begins to acquire a lock.
     *
     * @param lockName the lock's name
     */
    default void beforeAcquire(String lockName) {}

    /**
     * The calling thread is about to wait, because the lock was busy or the store did not answer at once. Called at
     * most once for each acquire.
     *
     * @param lockName the lock's name
     */
    default void beforeWait(String lockName) {}

    /**
     * The acquire of the calling thread has ended.
     *
     * @param event its token is 0 if there is no hold; its duration is the time that the acquire took
     * @param outcome how it ended
     */
    default void afterAcquire(LockEvent event, AcquireOutcome outcome) {}

    /**
     * The calling thread is about to release a lock. The lock is still held, unless it was lost.
     *
     * @param event its duration is the time since the hold began
     */
    default void beforeRelease(LockEvent event) {}

    /**
     * The calling thread has released a lock.
     *
     * @param event as for {@link #beforeRelease}
     * @param outcome what the store answered; {@link LockHandle.Release#PENDING} after
     *     {@link LockHandle#releaseAsync()}, unless the hold was lost
     */
    default void afterRelease(LockEvent event, LockHandle.Release outcome) {}
}
