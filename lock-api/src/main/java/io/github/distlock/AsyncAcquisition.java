package io.github.distlock;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An acquire without a thread: a step at a time on the engine's threads. Wakes are counted, and a step that was woken while
 * it ran is followed by another, so none is lost and no two steps run at once.
 *
 * @param <T> what the future holds
 */
final class AsyncAcquisition<T> extends Acquisition {
    private final LocalQueue.Key key;
    private final Result<T> future;
    private final Function<Optional<LockHandle>, T> result;
    private final String threadName = Thread.currentThread().getName();
    private final AtomicInteger wakes = new AtomicInteger();
    private volatile Timer.@Nullable Entry lastAlarm;
    private Timer.@Nullable Entry alarm;
    private boolean waited;
    private boolean delivered;

    private AsyncAcquisition(
            Engine engine,
            LocalQueue queue,
            LocalQueue.Key key,
            Patience patience,
            Result<T> future,
            Function<Optional<LockHandle>, T> result) {
        super(engine, queue, patience);
        this.key = key;
        this.future = future;
        this.result = result;
    }

    static <T> CompletableFuture<T> start(
            Engine engine, LocalQueue.Key key, Patience patience, Function<Optional<LockHandle>, T> result) {
        Result<T> future = new Result<>(engine.callbacks()::run);
        if (engine.isClosed()) {
            future.completeExceptionally(engine.closedException());
        } else {
            start(engine, key, patience, future, result);
        }
        return future;
    }

    private static <T> void start(
            Engine engine,
            LocalQueue.Key key,
            Patience patience,
            Result<T> future,
            Function<Optional<LockHandle>, T> result) {
        AsyncAcquisition<T> acquisition =
                engine.begin(key, queue -> new AsyncAcquisition<>(engine, queue, key, patience, future, result));
        if (patience.isLimited()) {
            acquisition.setLastAlarm();
        }
        var unused = future.whenComplete((value, error) -> acquisition.settle(WITHDRAWN));
        if (patience.isSingleTry() && engine.holds(key)) {
            acquisition.settle(BUSY);
        } else {
            acquisition.wake();
        }
    }

    /** On time even when the request under way, or the queue for a thread, is not. */
    private void setLastAlarm() {
        lastAlarm = engine.timer().at(patience.latest(), () -> settle(outcomeOutOfTime()));
    }

    @Override
    void wake() {
        if (wakes.getAndIncrement() == 0) {
            engine.requests().execute(this::run);
        }
    }

    private void run() {
        int seen;
        do {
            seen = wakes.get();
            step();
        } while (wakes.addAndGet(-seen) != 0);
    }

    private void step() {
        if (alarm != null) {
            alarm.cancel();
            alarm = null;
        }
        long next = 0;
        try {
            next = advance();
        } catch (InterruptedException e) {
            settle(CLOSED);
        } catch (RuntimeException | Error e) {
            settle(e);
        }
        if (!hasOutcome()) {
            if (!waited) {
                waited = true;
                engine.callbacks().event(queue.name(), 0, 0, LockListener::waiting);
            }
            alarm = engine.timer().at(next, this::wake);
        } else if (!delivered) {
            delivered = true;
            Timer.Entry last = lastAlarm;
            if (last != null) {
                last.cancel();
            }
            engine.callbacks().run(this::deliver);
        }
    }

    private void deliver() {
        Object end = outcome();
        if (end instanceof Handle handle) {
            deliver(handle);
        } else if (end == BUSY) {
            future.complete(result.apply(Optional.empty()));
        } else if (end != null && end != WITHDRAWN) {
            future.completeExceptionally(thrown(end));
        }
    }

    private void deliver(Handle handle) {
        if (future.isDone()) {
            handle.hold().decline();
        } else if (!accept(handle)) {
            start(engine, key, patience, future, result);
        } else if (!future.complete(result.apply(Optional.of(handle)))) {
            handle.releaseAsync();
        }
    }

    @Override
    long threadId() {
        return NO_THREAD;
    }

    @Override
    String threadName() {
        return threadName;
    }

    /** What depends on it, by an {@code …Async} method without an executor too, runs on the callback executor. */
    private static final class Result<T> extends CompletableFuture<T> {
        private final Executor callbacks;

        Result(Executor callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new Result<>(callbacks);
        }

        @Override
        public Executor defaultExecutor() {
            return callbacks;
        }
    }
}
