package io.github.distlock.engine;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockHandle;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Offered;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An acquire without a thread. Threads of the engine run it step by step. Wakes are counted, and a step that was woken
 * while it ran is followed by another one. So no wake is lost, and no two steps run at the same time.
 *
 * @param <T> what the future holds
 */
final class AsyncAcquisition<T> extends Acquisition {
    private final CompletableFuture<T> future;
    private final Function<Optional<LockHandle>, T> result;
    private final Timer timer;
    private final Work threads;
    private final String threadName = Thread.currentThread().getName();
    private final AtomicInteger wakes = new AtomicInteger();
    private volatile Timer.@Nullable Entry lastAlarm;
    private Timer.@Nullable Entry alarm;
    private volatile boolean waited;

    AsyncAcquisition(
            LockKey key,
            Patience patience,
            Shared shared,
            Timer timer,
            Work threads,
            Function<Optional<LockHandle>, T> result) {
        super(key, patience, shared);
        this.timer = timer;
        this.threads = threads;
        this.result = result;
        this.future = shared.callbacks().newFuture();
    }

    CompletableFuture<T> start() {
        enter();
        var unused = future.whenComplete((value, error) -> settle(Ended.WITHDRAWN));
        return future;
    }

    @Override
    void enter() {
        super.enter();
        if (patience.isLimited()) {
            setLastAlarm();
        }
        if (future.isDone()) {
            settle(Ended.WITHDRAWN);
        }
        wake();
    }

    /** On time even if the request under way, or the queue for a thread, is not. */
    private void setLastAlarm() {
        Timer.Entry last = timer.at(patience.latest(), () -> settle(outOfTime()));
        lastAlarm = last;
        if (hasOutcome()) {
            last.cancel();
        }
    }

    @Override
    boolean isWaiting() {
        return waited && !hasOutcome();
    }

    @Override
    void wake() {
        if (wakes.getAndIncrement() == 0) {
            start(this::run);
        }
    }

    private void start(Runnable step) {
        try {
            if (!threads.execute(step)) {
                settle(Ended.CLOSED);
            }
        } catch (Throwable e) {
            // No step is under way, so the next wake must start one.
            wakes.set(0);
            throw e;
        }
    }

    private void run() {
        int seen;
        do {
            seen = wakes.get();
            try {
                step();
            } catch (InterruptedException e) {
                settle(Ended.CLOSED);
            } catch (RuntimeException | Error e) {
                fail(e);
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
                noteWaiting();
            }
            alarm = timer.at(next, this::wake);
        }
    }

    /** The settling thread has the outcome delivered, because the threads for steps may all hang in requests. */
    @Override
    void settled() {
        Timer.Entry last = lastAlarm;
        if (last != null) {
            last.cancel();
        }
        if (outcome() == Ended.WITHDRAWN) {
            // The future is done, so no code of the application depends on this.
            noteNotAcquired(AcquireOutcome.CANCELLED);
        } else {
            shared.callbacks().run(this::deliver);
        }
        wake();
    }

    private void deliver() {
        Outcome end = outcome();
        if (end instanceof Offered offered) {
            deliver(offered.handle());
            return;
        }
        noteNotAcquired(forApplication());
        if (end == Ended.BUSY) {
            future.complete(result.apply(Optional.empty()));
        } else if (end != null) {
            future.completeExceptionally(failureOf(end));
        }
    }

    private void deliver(Handle handle) {
        if (future.isDone()) {
            handle.hold().decline();
            noteNotAcquired(AcquireOutcome.CANCELLED);
        } else if (accept(handle) && !future.complete(result.apply(Optional.of(handle)))) {
            var unused = handle.giveBackAsync();
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
