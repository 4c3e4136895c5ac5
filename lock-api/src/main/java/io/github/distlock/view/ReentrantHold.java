package io.github.distlock.view;

import io.github.distlock.LockHandle;
import io.github.distlock.view.ReentrantHolds.Slot;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One hold of a thread, and how often the thread has entered it. The lock is released with the last entry.
 *
 * <p>The counts change under a mutex. Once the thread has no entry, it does not enter this hold again: its next acquire
 * waits for a new one. Either all entries were taken back, and the lock is released, or the thread has passed the other
 * ones on. A handle that is detached counts as an entry of the hold, but not of the thread.
 *
 * <p>Thread-safe: another thread may close or detach a handle.
 */
final class ReentrantHold {
    private final LockHandle held;
    private final ReentrantLock mutex = new ReentrantLock();
    private int handles;
    /** How many of the handles are detached. */
    private int detached;

    private int locks;
    private @Nullable Slot slot;
    private Runnable removal = () -> {};
    private volatile @Nullable Cancellations cancellations;

    /** What a thread gets when it enters. */
    enum Entry {
        /** A handle, which keeps the hold from the collector. */
        HANDLE,
        /** Nothing, but the duty to unlock. */
        LOCK
    }

    ReentrantHold(LockHandle held) {
        this.held = held;
    }

    LockHandle held() {
        return held;
    }

    /** Cancels a future if the hold is lost before this handle is released. */
    void cancelOnLoss(Future<?> future, ReentrantHandle handle) {
        cancellations = Cancellations.with(cancellations, held, future, handle);
    }

    /** Counts the first entry of a new hold. */
    void begin(Entry entry, Slot place, Runnable remove) {
        slot = place;
        removal = remove;
        count(entry, 1);
    }

    /**
     * Enters once more.
     *
     * @return false if the hold is not the thread's any more
     * @throws io.github.distlock.LockLostException if it was lost
     */
    boolean enter(Entry entry) {
        mutex.lock();
        try {
            boolean enters = isOfThread();
            if (enters) {
                held.ensureHeld();
                count(entry, 1);
            }
            return enters;
        } finally {
            mutex.unlock();
        }
    }

    /**
     * Takes an entry back. The caller releases the lock if it was the last one.
     *
     * @return whether it was the last one
     * @throws IllegalMonitorStateException if there is no such entry
     */
    boolean exit(Entry entry) {
        mutex.lock();
        try {
            if ((entry == Entry.LOCK ? locks : handles) == 0) {
                throw new IllegalMonitorStateException(
                        "lock \"" + held.lockName() + "\": this thread has not locked it");
            }
            count(entry, -1);
            forgetUnlessOfThread();
            return handles + locks == 0;
        } finally {
            mutex.unlock();
        }
    }

    /** Takes the entry of a handle back. Otherwise like {@link #exit(Entry)}. */
    boolean exit(ReentrantHandle handle) {
        mutex.lock();
        try {
            detached -= handle.isDetached() ? 1 : 0;
            return exit(Entry.HANDLE);
        } finally {
            mutex.unlock();
        }
    }

    /** Passes the entry of a handle on. A borrowed hold stays, because an unlock of the thread has to find it. */
    void detach(ReentrantHandle handle) {
        mutex.lock();
        try {
            if (!(held instanceof BorrowedHandle) && handle.noteDetached()) {
                detached++;
                forgetUnlessOfThread();
            }
        } finally {
            mutex.unlock();
        }
    }

    private boolean isOfThread() {
        return handles + locks > detached;
    }

    private void forgetUnlessOfThread() {
        if (!isOfThread()) {
            removal.run();
            if (detached > 0) {
                held.detach();
            }
        }
    }

    private void count(Entry entry, int change) {
        if (entry == Entry.HANDLE) {
            handles += change;
            return;
        }
        locks += change;
        if (slot != null) {
            slot.keep(locks > 0 ? this : null);
        }
    }

    boolean isLocked() {
        mutex.lock();
        try {
            return locks > 0;
        } finally {
            mutex.unlock();
        }
    }
}
