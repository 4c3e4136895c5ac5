package io.github.distlock.view;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockHandle;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;

/**
 * A read-write lock as {@code java.util.concurrent} knows it. Its holds are those of the views of its two locks.
 *
 * <p>A thread that has locked the write lock may lock the read lock. Then its read hold {@linkplain BorrowedHandle
 * borrows} the write hold, and the store is not asked. When the thread unlocks the write lock, a downgrade turns the
 * write hold into a read hold, which the borrower gets. All of this happens on the one thread that owns both.
 *
 * <p>The borrower does not keep a write hold that ends in another way: by the last handle of a reentrant view. Then the
 * read hold has ended, too.
 */
public final class ReadWriteView implements ReadWriteLock {
    private final DistributedReadWriteLock lock;
    private final Object readId;
    private final Object writeId;
    private final ReentrantHolds holds;

    /**
     * Makes a view.
     *
     * @param readId what distinguishes the read lock from other locks of the client
     * @param writeId what distinguishes the write lock from other locks of the client
     */
    public ReadWriteView(DistributedReadWriteLock lock, Object readId, Object writeId, ReentrantHolds holds) {
        this.lock = lock;
        this.readId = readId;
        this.writeId = writeId;
        this.holds = holds;
    }

    @Override
    public Lock readLock() {
        return new ThreadOwnedView(readId, lock.readLock(), holds) {
            @Override
            Optional<LockHandle> borrowed() {
                ReentrantHold writing = holds.current(writeId);
                return writing != null && writing.isLocked()
                        ? Optional.of(new BorrowedHandle(writing.held()))
                        : Optional.empty();
            }
        };
    }

    @Override
    public Lock writeLock() {
        return new ThreadOwnedView(writeId, lock.writeLock(), holds) {
            @Override
            void end(LockHandle writing) {
                ReentrantHold reading = holds.current(readId);
                if (reading != null && reading.held() instanceof BorrowedHandle borrower && borrower.borrows(writing)) {
                    borrower.own(lock.downgrade(writing));
                } else {
                    writing.close();
                }
            }
        };
    }

    @Override
    public String toString() {
        return lock + " as a java.util.concurrent.locks.ReadWriteLock";
    }
}
