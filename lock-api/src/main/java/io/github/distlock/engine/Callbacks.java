package io.github.distlock.engine;

import io.github.distlock.LockEvent;
import io.github.distlock.LockListener;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs code of the application on threads that run nothing else. So it affects nothing else if it throws or never
 * returns.
 *
 * <p>Events for the {@link LockListener} go through one queue, and one task at a time empties it, so that they arrive
 * in order.
 */
final class Callbacks {
    private static final Logger LOG = LoggerFactory.getLogger(LockListener.class);
    private static final long PATIENCE = Duration.ofMillis(250).toNanos();
    private static final int MOST_WAITING_EVENTS = 10_000;

    private final @Nullable Executor usersOwn;
    private final Work threads;
    private final LockClock clock;
    private final @Nullable LockListener listener;
    private final ReentrantLock mutex = new ReentrantLock();
    private final AtomicInteger underWay = new AtomicInteger();
    private final ArrayDeque<Consumer<LockListener>> events = new ArrayDeque<>();
    private boolean draining;
    private long dropped;

    Callbacks(Settings settings, @Nullable Executor usersOwn, @Nullable LockListener listener, LockClock clock) {
        this.usersOwn = usersOwn;
        this.listener = listener;
        this.clock = clock;
        this.threads = Work.unbounded(settings.client(), "callback", clock);
    }

    void run(Runnable foreign) {
        underWay.incrementAndGet();
        Runnable counted = () -> {
            try {
                foreign.run();
            } finally {
                underWay.decrementAndGet();
            }
        };
        Runnable work = usersOwn == null ? counted : () -> handOver(usersOwn, counted);
        if (!threads.execute(work)) {
            // The client is closed: what still depends on its futures runs where it is.
            Work.runLogged(work);
        }
    }

    /** Runs on a thread of ours, because a caller-supplied executor may run the task on the calling thread. */
    private void handOver(Executor executor, Runnable counted) {
        Runnable tracked = clock.track(() -> Work.runLogged(counted));
        try {
            executor.execute(tracked);
        } catch (RuntimeException e) {
            LOG.warn("the callback executor refuses work, a thread of the client does it", e);
            tracked.run();
        }
    }

    /** Returns a future whose dependents run on the callback executor. */
    <T> CallbackFuture<T> newFuture() {
        return new CallbackFuture<>(this::run);
    }

    /** Returns whether no code of the application runs or waits. */
    boolean areQuiet() {
        return underWay.get() == 0;
    }

    boolean isOwnThread() {
        return threads.isOwnThread();
    }

    void event(String lockName, long token, long nanos, BiConsumer<LockListener, LockEvent> what) {
        if (listener != null) {
            LockEvent event = new LockEvent(lockName, token, Duration.ofNanos(nanos));
            enqueue(to -> what.accept(to, event));
        }
    }

    private void enqueue(Consumer<LockListener> event) {
        mutex.lock();
        try {
            if (events.size() >= MOST_WAITING_EVENTS) {
                dropped++;
                return;
            }
            events.add(event);
            if (draining) {
                return;
            }
            draining = true;
        } finally {
            mutex.unlock();
        }
        run(this::drain);
    }

    private void drain() {
        LockListener to = listener;
        while (to != null) {
            Consumer<LockListener> event;
            long lost;
            mutex.lock();
            try {
                event = events.poll();
                draining = event != null;
                lost = dropped;
                dropped = 0;
            } finally {
                mutex.unlock();
            }
            if (lost > 0) {
                LOG.warn("the lock listener is too slow: {} events were dropped", lost);
            }
            if (event == null) {
                return;
            }
            Work.runLogged(() -> event.accept(to));
        }
    }

    /** Waits up to 250 ms for running tasks, unless one of them is closing the client. */
    void close() {
        if (threads.isOwnThread()) {
            threads.shutdown();
        } else {
            threads.closeAfter(PATIENCE);
        }
    }
}
