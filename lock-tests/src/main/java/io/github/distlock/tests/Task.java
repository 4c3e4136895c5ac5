package io.github.distlock.tests;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/** Runs work on a thread of its own, and keeps its result. */
final class Task<T> {
    final Thread thread;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable T result;
    private volatile @Nullable Throwable failure;
    private volatile long nanos;
    private volatile boolean interruptedAtEnd;

    Task(String name, Callable<T> work) {
        this(null, name, work);
    }

    /** Runs it in a thread group, which all threads belong to that it starts. */
    Task(@Nullable ThreadGroup group, String name, Callable<T> work) {
        this(run -> new Thread(group, run, name), work);
    }

    Task(ThreadFactory threads, Callable<T> work) {
        thread = threads.newThread(() -> run(work));
        thread.setDaemon(true);
        thread.start();
    }

    private void run(Callable<T> work) {
        long begin = System.nanoTime();
        try {
            result = work.call();
        } catch (Throwable thrown) {
            failure = thrown;
        }
        nanos = System.nanoTime() - begin;
        interruptedAtEnd = Thread.currentThread().isInterrupted();
        ended.countDown();
    }

    boolean isDone() {
        return ended.getCount() == 0;
    }

    /** Returns what the work returned, once it is done. */
    @Nullable
    T result() {
        return result;
    }

    /** Returns what the work threw, once it is done. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Returns how long the work took, once it is done. */
    long millis() {
        return nanos / 1_000_000;
    }

    /** Returns whether the interrupt flag was set when the work ended. */
    boolean interruptedAtEnd() {
        return interruptedAtEnd;
    }
}
