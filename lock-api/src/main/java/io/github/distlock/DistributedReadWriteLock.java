package io.github.distlock;

import java.util.concurrent.locks.ReadWriteLock;

/**
 * A lock with any number of readers or one writer, among all clients of a store: see
 * {@link LockClient#readWriteLock(String)}. Immutable, thread-safe, and cheap to make.
 *
 * <p><b>Order.</b> The store's queue serves readers and writers first come, first served, and consecutive readers
 * together. So neither side starves. Readers of one client share a grant: a reader that comes within the time of
 * {@link LockClientBuilder#localHandoff local handoffs} after the grant joins it without a request, unless a writer of
 * the client waits. A {@linkplain LockOptions#fair() fair} reader, and one with a fixed lease, never joins.
 *
 * <p><b>Tokens.</b> The fencing token of a writer is greater than those of all readers and writers before it. Readers
 * that share a grant have the same token. Compare a reader's token only with those of writers.
 *
 * <p><b>No upgrade.</b> A thread that holds the read lock cannot wait for the write lock: it would wait for itself, and
 * two such threads would wait for each other. Such an acquire throws {@link IllegalStateException} at once.
 */
public interface DistributedReadWriteLock {

    /**
     * Returns the lock's name.
     *
     * @return as given to the client
     */
    String name();

    /**
     * Returns the lock's options.
     *
     * @return what the acquires of both locks ask for
     */
    LockOptions options();

    /**
     * Returns the lock for readers.
     *
     * @return any number of its holds may exist at the same time, while there is no writer
     */
    DistributedLock readLock();

    /**
     * Returns the lock for a writer.
     *
     * @return its hold excludes readers and other writers. Its acquires throw {@link IllegalStateException} if the
     *     calling thread holds the read lock through this client
     */
    DistributedLock writeLock();

    /**
     * Turns a write hold into a read hold with the same fencing token. No other writer gets in between. The write hold
     * is {@link LockHandle.State#RELEASED} then, and closing it does nothing. An interrupt does not stop this method;
     * the flag is kept.
     *
     * @param writing a hold of this client's {@link #writeLock()} of the same name, as its acquire returned it
     * @return the read hold, which the caller closes
     * @throws IllegalArgumentException if {@code writing} is not such a hold
     * @throws IllegalStateException if it was released
     * @throws LockLostException if it was lost
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses.
     *     Then {@code writing} is released, and the client removes the hold in the background
     */
    LockHandle downgrade(LockHandle writing);

    /**
     * Returns this lock as {@code java.util.concurrent} knows it: both locks are reentrant and owned by threads. As
     * with {@link java.util.concurrent.locks.ReentrantReadWriteLock}, a thread that has the write lock may take the
     * read lock, too, and keeps it when it unlocks the write lock. An upgrade throws {@link IllegalStateException}.
     *
     * @return the view
     */
    ReadWriteLock asReadWriteLock();
}
