package io.github.distlock.view;

import io.github.distlock.LockHandle;
import io.github.distlock.view.ReentrantHolds.Slot;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One hold of a thread, and how often the thread has entered it. The lock is released with the last entry.
 *
 * <p>The counts change under a mutex. Once there is no entry, the hold has ended, and nobody enters it again.
 *
 * <p>Thread-safe: another thread may close a handle.
 */
final class ReentrantHold {
    private final LockHandle held;
    private final ReentrantLock mutex = new ReentrantLock();
    private int handles;
    private int locks;
    private boolean ended;
    private @Nullable Slot slot;
    private Runnable removal = () -> {};

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

    /** Counts the first entry of a new hold. */
    void begin(Entry entry, Slot place, Runnable remove) {
        slot = place;
        removal = remove;
        count(entry, 1);
    }

    /**
     * Enters once more.
     *
     * @return false if the hold has ended
     * @throws io.github.distlock.LockLostException if it was lost
     */
    boolean enter(Entry entry) {
        mutex.lock();
        try {
            if (!ended) {
                held.ensureHeld();
                count(entry, 1);
            }
            return !ended;
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
            ended = handles == 0 && locks == 0;
            if (ended) {
                removal.run();
            }
            return ended;
        } finally {
            mutex.unlock();
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
