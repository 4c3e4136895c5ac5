package io.github.distlock.engine;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockHandle;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.spi.LockClock.Parker;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An acquire on the caller's own thread, which sends the requests itself and parks in between. */
final class BlockingAcquisition extends Acquisition {
    private final Thread thread = Thread.currentThread();
    private volatile @Nullable Parker parker;
    private volatile boolean woken;
    private volatile boolean reported;
    private long waitsSince;
    private long searchAt;

    BlockingAcquisition(LockKey key, Patience patience, Shared shared) {
        super(key, patience, shared);
    }

    /** Returns the accepted hold, or empty if the lock is busy. If uninterruptible, keeps the interrupt flag. */
    Optional<LockHandle> acquire(boolean interruptible) throws InterruptedException {
        boolean interrupted = false;
        Handle got = null;
        AcquireOutcome end = AcquireOutcome.UNAVAILABLE;
        shared.callbacks().hooks().beforeAcquire(key.name());
        try {
            enter();
            while (got == null) {
                interrupted |= await(interruptible);
                boolean stops = interruptible && (interrupted || Thread.interrupted());
                if (!(outcome() instanceof Offered offered)) {
                    end = stops ? AcquireOutcome.INTERRUPTED : forApplication();
                    return withoutHold(stops);
                }
                if (stops) {
                    end = AcquireOutcome.INTERRUPTED;
                    offered.handle().hold().decline();
                    throw interruption();
                }
                if (accept(offered.handle())) {
                    got = offered.handle();
                    end = AcquireOutcome.ACQUIRED;
                }
            }
            return Optional.of(got);
        } finally {
            Parker used = parker;
            if (used != null) {
                Flight.waited(used, shared.callbacks().client(), key.name(), end);
                used.close();
            }
            if (interrupted && !interruptible) {
                thread.interrupt();
            }
            if (got == null) {
                noteNotAcquired(end);
            }
            runHooks(got, end);
        }
    }

    /** Returns whether the thread was interrupted before there was an outcome. */
    private boolean await(boolean interruptible) {
        boolean interrupted = false;
        while (!hasOutcome()) {
            try {
                woken = false;
                pauseUntil(advance());
                searchForDeadlock();
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            } catch (InterruptedException e) {
                interrupted = true;
                if (interruptible) {
                    settle(Ended.INTERRUPTED);
                }
            } catch (RuntimeException | Error e) {
                fail(e);
            }
        }
        return interrupted;
    }

    /** A wake sets {@code woken} and then unparks, so this sees a wake that comes before there is a parker. */
    private void pauseUntil(long nanoTime) {
        if (hasOutcome()) {
            return;
        }
        Parker sleeper = parker;
        if (sleeper == null) {
            sleeper = Flight.waiting(shared.clock().parker());
            parker = sleeper;
            noteWaiting();
            shared.callbacks().hooks().beforeWait(key.name());
            waitsSince = shared.clock().nanoTime();
            searchAt = waitsSince + Deadlocks.PAUSE;
            if (isHeldByItsThread()) {
                searchAt = shared.deadlocks().search(waitsSince, true);
            }
        }
        if (!woken) {
            sleeper.parkUntil(nanoTime - searchAt < 0 ? nanoTime : searchAt);
        }
    }

    private void searchForDeadlock() {
        if (parker != null && !hasOutcome() && shared.clock().nanoTime() - searchAt >= 0) {
            searchAt = shared.deadlocks().search(waitsSince, false);
        }
    }

    boolean isReported() {
        return reported;
    }

    void noteReported() {
        reported = true;
    }

    /** Returns where its thread is now. */
    Throwable stack() {
        Throwable stack = new Throwable("thread \"" + threadName() + "\" waits here");
        stack.setStackTrace(thread.getStackTrace());
        return stack;
    }

    private Optional<LockHandle> withoutHold(boolean interrupted) throws InterruptedException {
        Outcome end = outcome();
        if (interrupted) {
            throw interruption();
        }
        if (end == null || end == Ended.BUSY) {
            return Optional.empty();
        }
        Throwable failure = failureOf(end);
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    private InterruptedException interruption() {
        String seen = blocker();
        return new InterruptedException(
                "interrupted while acquiring lock \"" + key.name() + "\"" + (seen.isEmpty() ? "" : ": " + seen));
    }

    @Override
    boolean isWaiting() {
        return parker != null && !hasOutcome();
    }

    @Override
    void wake() {
        woken = true;
        Parker sleeper = parker;
        if (sleeper != null) {
            sleeper.unpark();
        }
    }

    @Override
    void settled() {
        wake();
    }

    @Override
    long threadId() {
        return thread.getId();
    }

    @Override
    String threadName() {
        return thread.getName();
    }
}
