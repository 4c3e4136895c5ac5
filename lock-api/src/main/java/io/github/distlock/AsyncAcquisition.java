package io.github.distlock;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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
    private final CallbackFuture<T> future;
    private final Function<Optional<LockHandle>, T> result;
    private final String threadName = Thread.currentThread().getName();
    private final AtomicInteger wakes = new AtomicInteger();
    private volatile Timer.@Nullable Entry lastAlarm;
    private Timer.@Nullable Entry alarm;
    private boolean waited;

    private AsyncAcquisition(
            Engine engine,
            LocalQueue queue,
            LocalQueue.Key key,
            Patience patience,
            CallbackFuture<T> future,
            Function<Optional<LockHandle>, T> result) {
        super(engine, queue, patience);
        this.key = key;
        this.future = future;
        this.result = result;
    }

    static <T> CompletableFuture<T> start(
            Engine engine, LocalQueue.Key key, Patience patience, Function<Optional<LockHandle>, T> result) {
        CallbackFuture<T> future = engine.newFuture();
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
            CallbackFuture<T> future,
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
        Timer.Entry last = engine.timer().at(patience.latest(), () -> settle(outcomeOutOfTime()));
        lastAlarm = last;
        if (hasOutcome()) {
            last.cancel();
        }
    }

    @Override
    void wake() {
        if (wakes.getAndIncrement() == 0 && !engine.requests().execute(this::run)) {
            settle(CLOSED);
        }
    }

    private void run() {
        int seen;
        do {
            seen = wakes.get();
            try {
                step();
            } catch (InterruptedException e) {
                settle(CLOSED);
            } catch (RuntimeException | Error e) {
                settle(outcomeOf(e));
            }
        } while (wakes.addAndGet(-seen) != 0);
    }

    private void step() throws InterruptedException {
        if (alarm != null) {
            alarm.cancel();
            alarm = null;
        }
        long next = advance();
        if (!hasOutcome()) {
            if (!waited) {
                waited = true;
                engine.callbacks().event(queue.name(), 0, 0, LockListener::waiting);
            }
            alarm = engine.timer().at(next, this::wake);
        }
    }

    /** Delivered by whoever settled it, not by a step: the threads for steps may all hang in requests. */
    @Override
    void settled() {
        Timer.Entry last = lastAlarm;
        if (last != null) {
            last.cancel();
        }
        engine.callbacks().run(this::deliver);
        wake();
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
}
