package io.github.distlock.engine;

import java.time.Duration;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Gives a pool more threads while its tasks wait for one. Tasks that end soon share {@value #FEW} threads, however many
 * they are. If a task has waited for 50 ms, the running ones block or are slow, and the number of threads doubles. It
 * shrinks again when no task waits.
 *
 * <p><b>No waiting task without a look.</b> {@link #watch} comes when the task is in the queue. It plans a look unless
 * one is planned. A look first notes that none is planned, and then reads the queue. So a task that finds a planned
 * look is in the queue when this look reads it. Each look plans another one if a task waits.
 */
final class Growth {
    static final int FEW = 4;
    static final Duration PATIENCE = Duration.ofMillis(50);

    private final ThreadPoolExecutor threads;
    private final Work.Shared shared;
    private final AtomicBoolean planned = new AtomicBoolean();

    /** A task that may have to wait for a thread. */
    private record Waiting(long since, Runnable task) implements Runnable {
        @Override
        public void run() {
            task.run();
        }
    }

    Growth(ThreadPoolExecutor threads, Work.Shared shared) {
        this.threads = threads;
        this.shared = shared;
    }

    /** Runs a task. Throws what the pool throws if it cannot. */
    void execute(Runnable task) {
        threads.execute(new Waiting(shared.clock().nanoTime(), task));
        watch();
    }

    private void watch() {
        if (!threads.getQueue().isEmpty() && planned.compareAndSet(false, true)) {
            plan();
        }
    }

    private void plan() {
        planned.set(true);
        try {
            shared.timer().at(shared.clock().nanoTime() + PATIENCE.toNanos(), this::look);
        } catch (Throwable e) {
            planned.set(false);
            throw e;
        }
    }

    /** Starts threads if the first task has waited for too long. */
    void look() {
        planned.set(false);
        boolean isLate = threads.getQueue().peek() instanceof Waiting first
                && shared.clock().nanoTime() - first.since >= PATIENCE.toNanos();
        if (isLate) {
            grow(2 * Math.max(FEW, threads.getPoolSize()));
            plan(); // Even if no task waits any more, so that the pool shrinks.
        } else if (threads.getQueue().isEmpty()) {
            threads.setCorePoolSize(FEW);
        } else {
            watch();
        }
    }

    /** Waits a limited time for the end of a pool that accepts no more tasks. Looks meanwhile in place of the timer. */
    boolean hasEnded(long nanos) throws InterruptedException {
        for (long left = nanos; left > 0; left -= PATIENCE.toNanos()) {
            if (threads.awaitTermination(Math.min(left, PATIENCE.toNanos()), TimeUnit.NANOSECONDS)) {
                return true;
            }
            look();
        }
        return false;
    }

    /** Looks until no task waits any more, in place of the timer. */
    void finish() {
        boolean ended = false;
        try {
            while (!ended && !threads.getQueue().isEmpty()) {
                ended = hasEnded(PATIENCE.toNanos());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Starts threads for tasks that wait. If a thread cannot be started, the next look tries again. */
    private void grow(int size) {
        try {
            threads.setCorePoolSize(size);
        } catch (Throwable e) {
            threads.setCorePoolSize(FEW);
        }
    }
}
