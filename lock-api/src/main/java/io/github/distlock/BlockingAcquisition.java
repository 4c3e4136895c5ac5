package io.github.distlock;

import io.github.distlock.spi.LockClock.Parker;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An acquire on the caller's own thread, which does the asking itself and parks in between. */
final class BlockingAcquisition extends Acquisition {
    private static final Logger LOG = LoggerFactory.getLogger(DistributedLock.class);

    private final Thread thread = Thread.currentThread();
    private volatile @Nullable Parker parker;
    private volatile boolean woken;

    BlockingAcquisition(Engine engine, LocalQueue queue, Patience patience) {
        super(engine, queue, patience);
    }

    /** The hold, not accepted yet, or null for busy. Uninterruptible, it keeps the flag. */
    @Nullable
    Handle await(boolean interruptible) throws InterruptedException {
        boolean interrupted = false;
        boolean looks = !enteredBehindOthers;
        try {
            while (!hasOutcome()) {
                try {
                    pauseUntil(looks ? look() : patience.next(patience.since(), looksAgainAt));
                    looks = true;
                    if (Thread.interrupted()) {
                        throw new InterruptedException();
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (interruptible) {
                        settle(INTERRUPTED);
                    }
                } catch (RuntimeException | Error e) {
                    settle(outcomeOf(e));
                }
            }
        } finally {
            Parker used = parker;
            if (used != null) {
                used.close();
            }
            if (interrupted && !interruptible) {
                thread.interrupt();
            }
        }
        return result(interruptible && (interrupted || Thread.interrupted()));
    }

    private long look() throws InterruptedException {
        woken = false;
        return advance();
    }

    /** A wake sets {@code woken} and then unparks, so one that comes before there is a parker is seen, too. */
    private void pauseUntil(long nanoTime) {
        if (hasOutcome()) {
            return;
        }
        Parker sleeper = parker;
        if (sleeper == null) {
            sleeper = engine.clock().parker();
            parker = sleeper;
            noteWaiting();
        }
        if (!woken) {
            sleeper.parkUntil(nanoTime);
        }
    }

    private void noteWaiting() {
        engine.callbacks().event(queue.name(), 0, 0, LockListener::waiting);
        if (queue.isHeldBy(thread.getId())) {
            LOG.warn(
                    "lock \"{}\": this thread holds it already and now waits for itself; locks are not reentrant, "
                            + "pass the handle on instead",
                    queue.name(),
                    new Throwable("waits here"));
        }
    }

    private @Nullable Handle result(boolean interrupted) throws InterruptedException {
        Object end = outcome();
        if (interrupted) {
            if (end instanceof Handle late) {
                late.hold().decline();
            }
            throw new InterruptedException("interrupted while acquiring lock \"" + queue.name() + "\"");
        }
        if (end instanceof Handle handle) {
            return handle;
        }
        if (end == BUSY || end == null) {
            return null;
        }
        Throwable failure = thrown(end);
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
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
