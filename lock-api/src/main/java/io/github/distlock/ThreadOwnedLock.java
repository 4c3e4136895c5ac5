package io.github.distlock;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/**
 * A {@link DistributedLock} as a {@link Lock}, for code that is written against {@code java.util.concurrent}. The
 * thread that has locked it is its owner, and may lock it again: see {@link DistributedLock#asLock()}. Thread-safe.
 *
 * <p>A method that waits fails with a {@link LockException} if the store refuses, or has not answered for
 * {@link LockClientBuilder#outageTimeout}. Then the thread does not hold the lock. If an earlier {@code lock} of this
 * thread has been lost and not yet unlocked, methods that lock throw a {@link LockLostException}. Call {@link #unlock}
 * once for each lock that succeeded, also after a loss: in a {@code finally} block, without asking before.
 */
public interface ThreadOwnedLock extends Lock {

    /**
     * Waits until this thread has the lock. An interrupt does not stop it; the flag is kept.
     *
     * @throws LockException if the store does not answer or refuses
     * @throws LockLostException if this thread has lost the lock and not yet unlocked it
     * @throws IllegalStateException if the client is closed
     */
    @Override
    void lock();

    /**
     * Waits until this thread has the lock.
     *
     * @throws InterruptedException if the thread is interrupted, before or while it waits; it does not have the lock
     * @throws LockException as for {@link #lock}
     * @throws LockLostException as for {@link #lock}
     * @throws IllegalStateException if the client is closed
     */
    @Override
    void lockInterruptibly() throws InterruptedException;

    /**
     * Asks the store once. An interrupt does not stop it; the flag is kept.
     *
     * @return false if another thread or another client has the lock, and for no other reason
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws LockLostException as for {@link #lock}
     * @throws IllegalStateException if the client is closed
     */
    @Override
    boolean tryLock();

    /**
     * Waits for the lock for a limited time. Returns at most 250 ms after it, whatever the store does.
     *
     * @param time zero or less asks once
     * @return false if the store's last answer was that another holder has the lock
     * @throws InterruptedException as for {@link #lockInterruptibly}
     * @throws LockException if the store has not answered at all in this time, or refuses
     * @throws LockLostException as for {@link #lock}
     * @throws IllegalStateException if the client is closed
     */
    @Override
    boolean tryLock(long time, TimeUnit unit) throws InterruptedException;

    /**
     * Takes back one lock of this thread. The last one releases the lock, and waits for the store for at most
     * {@link LockClientBuilder#requestTimeout}. If the store does not answer, the client repeats the release in the
     * background.
     *
     * @throws IllegalMonitorStateException if this thread has no lock to take back
     * @throws LockLostException if the lock was lost before; this thread does not have it any more
     */
    @Override
    void unlock();

    /**
     * Not supported: threads of other clients could not be signaled.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    Condition newCondition();

    /**
     * Returns whether this thread has locked it, and the lock is still held, by this machine's clocks. Sends nothing.
     *
     * @return false after a loss, too
     */
    boolean isHeldByCurrentThread();

    /**
     * Returns the fencing token of this thread's hold: see {@link LockHandle#fencingToken()}.
     *
     * @return the same number for each lock of this thread until the last unlock
     * @throws IllegalMonitorStateException if this thread does not hold it
     * @throws IllegalStateException if this is the lock of several names, which has a token for each
     */
    long fencingToken();
}
