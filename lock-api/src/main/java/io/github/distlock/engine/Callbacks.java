package io.github.distlock.engine;

import io.github.distlock.LockEvent;
import io.github.distlock.LockListener;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs code of the application on threads that run nothing else. So it affects nothing else if it throws or never
 * returns.
 *
 * <p>Events for the {@link LockListener} go through one {@link Backlog}, so that they arrive in order.
 */
final class Callbacks {
    private static final Logger LOG = LoggerFactory.getLogger(LockListener.class);
    private static final long PATIENCE = Duration.ofMillis(250).toNanos();
    private static final int MOST_WAITING_EVENTS = 10_000;

    private final Work.Shared shared;
    private final @Nullable Executor usersOwn;
    private final @Nullable LockListener listener;
    private final Work threads;
    private final AtomicInteger underWay = new AtomicInteger();
    private final Backlog<Consumer<LockListener>> events;

    Callbacks(@Nullable Executor usersOwn, @Nullable LockListener listener, Work.Shared shared) {
        this.shared = shared;
        this.usersOwn = usersOwn;
        this.listener = listener;
        this.threads = Work.unbounded("callback", shared);
        this.events = new Backlog<>(
                MOST_WAITING_EVENTS,
                this::run,
                this::deliver,
                dropped -> shared.log()
                        .write(() -> LOG.warn("the lock listener is too slow: {} events were dropped", dropped)));
    }

    void run(Runnable foreign) {
        underWay.incrementAndGet();
        Runnable counted = () -> {
            try {
                shared.runLogged(foreign);
            } finally {
                underWay.decrementAndGet();
            }
        };
        Runnable work = usersOwn == null ? counted : () -> handOver(usersOwn, counted);
        if (!threads.execute(work)) {
            // The client is closed: what still depends on its futures runs where it is.
            work.run();
        }
    }

    /**
     * Runs on a thread of ours, because a caller-supplied executor may run the task on the calling thread, or throw
     * anything.
     */
    private void handOver(Executor executor, Runnable counted) {
        AtomicBoolean begun = new AtomicBoolean();
        Runnable tracked = shared.clock().track(() -> {
            if (begun.compareAndSet(false, true)) {
                counted.run();
            }
        });
        try {
            executor.execute(tracked);
        } catch (Throwable e) {
            shared.log().write(() -> LOG.warn("the callback executor refuses work, a thread of the client does it", e));
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
            events.add(to -> what.accept(to, event));
        }
    }

    private void deliver(Consumer<LockListener> event) {
        LockListener to = listener;
        if (to != null) {
            shared.runLogged(() -> event.accept(to));
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
