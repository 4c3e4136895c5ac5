package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Threads of one client for one role. They are daemons, start when needed, and end after a second of idleness. An
 * exception of a task is logged and affects no other task. After {@link #close} no task starts any more; waiting tasks
 * are dropped, unless the number of threads {@linkplain #growing grows}.
 *
 * <p>A thread cannot always be started: the process may have as many as it may have. Then the timer tries again until
 * the task runs. So a caller finds no error in the middle of its own work, and keeps no state about a task that never
 * ran.
 */
final class Work implements AutoCloseable {
    private static final long RETRY_NANOS = Duration.ofMillis(100).toNanos();

    private final ThreadPoolExecutor threads;
    private final Threads factory;
    private final Shared shared;
    private final @Nullable Growth growth;
    private volatile boolean closed;

    /** What the threads of all roles of a client share. */
    record Shared(String client, LockClock clock, Timer timer, ClientLog log) {
        /** Runs a task, and logs what it throws. */
        void runLogged(Runnable task) {
            try {
                task.run();
            } catch (Throwable e) {
                log.write(() -> ClientLog.LOG.error("{}: a task or callback threw", client, e));
            }
        }
    }

    private Work(int core, int most, boolean grows, BlockingQueue<Runnable> queue, String role, Shared shared) {
        this.shared = shared;
        this.factory = new Threads(shared.client, role);
        this.threads = new ThreadPoolExecutor(core, most, 1, TimeUnit.SECONDS, queue, factory);
        this.threads.allowCoreThreadTimeOut(true);
        this.growth = grows ? new Growth(threads, shared) : null;
    }

    /** Makes a bounded number of threads. Further tasks wait. */
    static Work bounded(int most, String role, Shared shared) {
        return new Work(most, most, false, new LinkedBlockingQueue<>(), role, shared);
    }

    /** Makes as many threads as there are tasks, for few tasks that must not wait for each other. */
    static Work unbounded(String role, Shared shared) {
        return new Work(0, Integer.MAX_VALUE, false, new SynchronousQueue<>(), role, shared);
    }

    /**
     * Makes few threads, and more while tasks wait: for many tasks, each of which may block without a limit. After
     * {@link #close}, tasks that wait are not dropped.
     */
    static Work growing(String role, Shared shared) {
        return new Work(Growth.FEW, Integer.MAX_VALUE, true, new LinkedBlockingQueue<>(), role, shared);
    }

    /**
     * Makes a daemon thread that inherits nothing from the thread that happens to come first: neither thread-locals nor
     * the context class loader, which may belong to another user or application.
     */
    static Thread daemon(Runnable task, String client, String role) {
        Thread thread = new Thread(null, task, "distlock-" + client + "-" + role, 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(Work.class.getClassLoader());
        return thread;
    }

    /** Returns whether the calling thread is one of these threads. */
    boolean isOwnThread() {
        return factory.alive.contains(Thread.currentThread());
    }

    /** Runs a task. Returns false if this is closed: then the task is dropped. */
    @CanIgnoreReturnValue
    boolean execute(Runnable task) {
        return submit(new Task(task));
    }

    /** Submits a task. If no thread can take it, the clock stops tracking this try, and does not wait for it. */
    @CanIgnoreReturnValue
    private boolean submit(Task task) {
        AtomicBoolean failed = new AtomicBoolean();
        Runnable tracked = shared.clock.track(() -> {
            if (!failed.get()) {
                task.run();
            }
        });
        try {
            if (growth == null) {
                threads.execute(tracked);
            } else {
                growth.execute(tracked);
            }
            return true;
        } catch (Throwable e) {
            failed.set(true);
            tracked.run();
            if (e instanceof RejectedExecutionException) {
                return false;
            }
            shared.timer.at(shared.clock.nanoTime() + RETRY_NANOS, () -> submit(task));
            return true;
        }
    }

    /** Waits a limited time for tasks that run or wait, and then interrupts them. */
    void closeAfter(long nanos) {
        threads.shutdown();
        boolean interrupted = false;
        try {
            if (!haveEnded(nanos)) {
                shared.log.write(() -> ClientLog.LOG.debug("tasks are still running on {}", threads));
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean haveEnded(long nanos) throws InterruptedException {
        return growth == null ? threads.awaitTermination(nanos, TimeUnit.NANOSECONDS) : growth.hasEnded(nanos);
    }

    /** Accepts no new tasks. Tasks that run or wait continue. */
    void shutdown() {
        threads.shutdown();
        if (growth != null) {
            startFinishing(growth);
        }
    }

    @Override
    public void close() {
        if (growth != null) {
            close(growth);
            return;
        }
        closed = true;
        threads.shutdownNow().forEach(Runnable::run);
    }

    private void close(Growth growing) {
        threads.shutdown();
        factory.alive.forEach(Thread::interrupt);
        startFinishing(growing);
    }

    /** Tasks may still wait, and the timer soon looks for them no more. */
    private void startFinishing(Growth growing) {
        if (!threads.getQueue().isEmpty()) {
            try {
                factory.newThread(growing::finish).start();
            } catch (Throwable e) {
                // The threads that there are run the rest.
            }
        }
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

    /** Runs once, even if a pool took it and then failed to start a thread for it. */
    private final class Task implements Runnable {
        private final AtomicBoolean begun = new AtomicBoolean();
        private final Runnable task;

        Task(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!closed && begun.compareAndSet(false, true)) {
                shared.runLogged(task);
            }
        }
    }
}
