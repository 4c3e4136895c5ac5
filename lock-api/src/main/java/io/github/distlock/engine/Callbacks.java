package io.github.distlock.engine;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHook;
import io.github.distlock.LockListener;
import java.time.Duration;
import java.util.List;
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
    private final List<LockListener> listeners;
    private final Hooks hooks;
    private final Work threads;
    private final Work interrupts;
    private final AtomicInteger underWay = new AtomicInteger();
    private final Backlog<Consumer<LockListener>> events;

    Callbacks(@Nullable Executor usersOwn, List<LockListener> listeners, List<LockHook> hooks, Work.Shared shared) {
        this.shared = shared;
        this.usersOwn = usersOwn;
        this.listeners = List.copyOf(listeners);
        this.hooks = new Hooks(hooks, shared);
        this.threads = Work.growing("callback", shared);
        this.interrupts = Work.unbounded("interrupt", shared);
        this.events = new Backlog<>(MOST_WAITING_EVENTS, this::run, this::deliver, this::noteDropped);
    }

    private void noteDropped(long count) {
        shared.log().write(() -> LOG.warn("the lock listener is too slow: {} events were dropped", count));
        deliver(listener -> listener.eventsDropped(count));
    }

    String client() {
        return shared.client();
    }

    /** Returns what runs code of the application on the thread of its call. */
    Hooks hooks() {
        return hooks;
    }

    void run(Runnable foreign) {
        Runnable counted = counted(foreign);
        Runnable work = usersOwn == null ? counted : () -> handOver(usersOwn, counted);
        if (!threads.execute(work)) {
            // The client is closed: what still depends on its futures runs where it is.
            work.run();
        }
    }

    private Runnable counted(Runnable foreign) {
        underWay.incrementAndGet();
        return () -> {
            try {
                shared.runLogged(foreign);
            } finally {
                underWay.decrementAndGet();
            }
        };
    }

    /**
     * Interrupts a thread, which may run code of the application. Waits neither for other code of the application nor
     * for its executor. Does nothing once the client is closed: its holds have been lost before.
     */
    void interrupt(Runnable interrupt) {
        if (!interrupts.execute(counted(interrupt))) {
            underWay.decrementAndGet();
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

    /** Returns whether the client has a listener. */
    boolean isListening() {
        return !listeners.isEmpty();
    }

    void event(String lockName, long token, long nanos, BiConsumer<LockListener, LockEvent> what) {
        if (isListening()) {
            event(new LockEvent(lockName, token, Duration.ofNanos(nanos)), what);
        }
    }

    /** Does the same with the time since a nano time. Without a listener, it reads no clock. */
    void eventSince(long nanoTime, String lockName, long token, BiConsumer<LockListener, LockEvent> what) {
        if (isListening()) {
            event(lockName, token, shared.clock().nanoTime() - nanoTime, what);
        }
    }

    void event(LockEvent event, BiConsumer<LockListener, LockEvent> what) {
        events.add(to -> what.accept(to, event));
    }

    private void deliver(Consumer<LockListener> event) {
        for (LockListener to : listeners) {
            shared.runLogged(() -> event.accept(to));
        }
    }

    /** Waits up to 250 ms for running tasks, unless one of them is closing the client. */
    void close() {
        interrupts.shutdown(); // Those that are under way are not dropped.
        if (threads.isOwnThread()) {
            threads.shutdown();
        } else {
            threads.closeAfter(PATIENCE);
        }
    }
}
