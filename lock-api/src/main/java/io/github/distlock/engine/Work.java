package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Threads of one client for one role. They are daemons, start when needed, and end after a second of idleness. An
 * exception of a task is logged and affects no other task. After {@link #close} no task starts any more; waiting tasks
 * are dropped.
 */
final class Work implements AutoCloseable {
    private final ThreadPoolExecutor threads;
    private final Threads factory;
    private final LockClock clock;
    private volatile boolean closed;

    private Work(ThreadPoolExecutor threads, Threads factory, LockClock clock) {
        this.threads = threads;
        this.factory = factory;
        this.clock = clock;
    }

    /** Makes a bounded number of threads. Further tasks wait. */
    static Work bounded(int most, String client, String role, LockClock clock) {
        Threads factory = new Threads(client, role);
        ThreadPoolExecutor threads =
                new ThreadPoolExecutor(most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
        threads.allowCoreThreadTimeOut(true);
        return new Work(threads, factory, clock);
    }

    /** Makes as many threads as there are tasks, for tasks that may block without a limit. */
    static Work unbounded(String client, String role, LockClock clock) {
        Threads factory = new Threads(client, role);
        ThreadPoolExecutor threads =
                new ThreadPoolExecutor(0, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
        return new Work(threads, factory, clock);
    }

    static Thread daemon(Runnable task, String client, String role) {
        Thread thread = new Thread(task, "distlock-" + client + "-" + role);
        thread.setDaemon(true);
        return thread;
    }

    /** Returns whether the calling thread is one of these threads. */
    boolean isOwnThread() {
        return factory.alive.contains(Thread.currentThread());
    }

    /** Runs a task. Returns false if this is closed: then the task is dropped. */
    @CanIgnoreReturnValue
    boolean execute(Runnable task) {
        Task work = new Task(task);
        Runnable tracked = clock.track(work);
        try {
            threads.execute(tracked);
            return true;
        } catch (RejectedExecutionException e) {
            work.dropped = true;
            tracked.run();
            return false;
        }
    }

    static void runLogged(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            ClientLog.LOG.error("a task or callback threw", e);
        }
    }

    /** Waits a limited time for tasks that run or wait, and then interrupts them. */
    void closeAfter(long nanos) {
        threads.shutdown();
        boolean interrupted = false;
        try {
            if (!threads.awaitTermination(nanos, TimeUnit.NANOSECONDS)) {
                ClientLog.LOG.debug("tasks are still running on {}", threads);
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Accepts no new tasks. Tasks that run or wait continue. */
    void shutdown() {
        threads.shutdown();
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow().forEach(Runnable::run);
    }

    private static final class Threads implements ThreadFactory {
        private final String client;
        private final String role;
        private final AtomicInteger count = new AtomicInteger();
        private final Set<Thread> alive = ConcurrentHashMap.newKeySet();

        Threads(String client, String role) {
            this.client = client;
            this.role = role;
        }

        @Override
        public Thread newThread(Runnable task) {
            Runnable registered = () -> {
                alive.add(Thread.currentThread());
                try {
                    task.run();
                } finally {
                    alive.remove(Thread.currentThread());
                }
            };
            return daemon(registered, client, role + count.incrementAndGet());
        }
    }

    private final class Task implements Runnable {
        private final Runnable task;
        private volatile boolean dropped;

        Task(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!dropped && !closed) {
                runLogged(task);
            }
        }
    }
}
