package io.github.distlock.engine;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Items that one task at a time processes in order. {@link #add} neither blocks nor throws. If too many items wait,
 * further ones are dropped.
 *
 * <p>If the task cannot be started, for want of a thread or of memory, the items wait for the next {@code add}.
 */
final class Backlog<T> {
    private final int most;
    private final Executor threads;
    private final Consumer<T> sink;
    private final LongConsumer noteDropped;
    private final ReentrantLock mutex = new ReentrantLock();
    private final ArrayDeque<T> items = new ArrayDeque<>();
    private boolean draining;
    private long dropped;

    /**
     * Makes a backlog.
     *
     * @param sink processes an item; what it throws is ignored
     * @param noteDropped receives how many items were dropped; what it throws is ignored
     */
    Backlog(int most, Executor threads, Consumer<T> sink, LongConsumer noteDropped) {
        this.most = most;
        this.threads = threads;
        this.sink = sink;
        this.noteDropped = noteDropped;
    }

    void add(T item) {
        try {
            if (enqueue(item)) {
                threads.execute(this::drain);
            }
        } catch (Throwable e) {
            noteEnd();
        }
    }

    /** Returns whether a task must be started. */
    private boolean enqueue(T item) {
        mutex.lock();
        try {
            if (items.size() >= most) {
                dropped++;
                return false;
            }
            items.add(item);
            boolean starts = !draining;
            draining = true;
            return starts;
        } finally {
            mutex.unlock();
        }
    }

    private void noteEnd() {
        mutex.lock();
        try {
            draining = false;
        } finally {
            mutex.unlock();
        }
    }

    boolean isEmpty() {
        mutex.lock();
        try {
            return items.isEmpty() && !draining;
        } finally {
            mutex.unlock();
        }
    }

    private void drain() {
        while (true) {
            long lost;
            T item;
            mutex.lock();
            try {
                lost = dropped;
                dropped = 0;
                item = items.poll();
                draining = item != null;
            } finally {
                mutex.unlock();
            }
            if (lost > 0) {
                ignoringFailures(() -> noteDropped.accept(lost));
            }
            if (item == null) {
                return;
            }
            ignoringFailures(() -> sink.accept(item));
        }
    }

    private static void ignoringFailures(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            // Whoever wants to know of failures catches them in the sink.
        }
    }
}
