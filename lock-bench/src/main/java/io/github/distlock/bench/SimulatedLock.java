package io.github.distlock.bench;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** A lock and its queue on a simulated server. Not thread-safe. */
final class SimulatedLock {
    private final Deque<Entry> queue = new ArrayDeque<>();
    private long entered;
    private long left;
    private boolean held;

    /** A contender in the queue. */
    abstract static class Entry {
        private long number;

        /** Runs on the server when the lock is handed to the waiter. */
        abstract void handOff();
    }

    /** Acquires the lock, or enters the queue and returns false. */
    boolean acquire(Entry entry) {
        if (!held) {
            held = true;
            return true;
        }
        entry.number = entered++;
        queue.add(entry);
        return false;
    }

    void release() {
        Entry first = queue.poll();
        held = first != null;
        if (first != null) {
            left++;
            first.handOff();
        }
    }

    /** Returns how many waiters are in the queue before an entry. */
    long before(Entry entry) {
        return entry.number - left;
    }

    /** Returns the waiter at the end of the queue. */
    @Nullable
    Entry last() {
        return queue.peekLast();
    }

    int waiters() {
        return queue.size();
    }
}
