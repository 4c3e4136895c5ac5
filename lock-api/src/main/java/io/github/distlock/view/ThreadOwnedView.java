package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.view.ReentrantHold.Entry;
import io.github.distlock.view.ReentrantHolds.Acquire;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/** A lock as {@code java.util.concurrent} knows it. Its holds are those of the reentrant view. */
class ThreadOwnedView implements ThreadOwnedLock {
    private final Object id;
    private final DistributedLock lock;
    private final ReentrantHolds holds;

    ThreadOwnedView(Object id, DistributedLock lock, ReentrantHolds holds) {
        this.id = id;
        this.lock = lock;
        this.holds = holds;
    }

    /** Returns the hold of a thread that has none yet and needs none of its own, or empty. */
    Optional<LockHandle> borrowed() {
        return Optional.empty();
    }

    /** Ends a hold of this thread, after the last unlock. */
    void end(LockHandle held) {
        held.close();
    }

    @Override
    public final void lock() {
        var unused = uninterruptibly(() -> Optional.of(lock.acquireUninterruptibly()));
    }

    @Override
    public final void lockInterruptibly() throws InterruptedException {
        var unused = interruptibly(() -> Optional.of(lock.acquire()));
    }

    @Override
    public final boolean tryLock() {
        return uninterruptibly(lock::tryAcquire);
    }

    @Override
    public final boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        Duration maxWait = Duration.ofNanos(requireNonNull(unit, "unit").toNanos(time));
        return interruptibly(() -> lock.tryAcquire(maxWait));
    }

    private boolean interruptibly(Acquire acquire) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted before locking lock \"" + lock.name() + "\"");
        }
        return enter(acquire);
    }

    private boolean enter(Acquire acquire) throws InterruptedException {
        Acquire unlessBorrowed = () -> {
            Optional<LockHandle> borrowed = borrowed();
            return borrowed.isPresent() ? borrowed : acquire.acquire();
        };
        return holds.enter(id, Entry.LOCK, lock.options(), unlessBorrowed).isPresent();
    }

    private boolean uninterruptibly(Acquire acquire) {
        try {
            return enter(acquire);
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible acquire was interrupted", e);
        }
    }

    @Override
    public final void unlock() {
        ReentrantHold hold = current();
        if (hold.exit(Entry.LOCK)) {
            end(hold.held());
        } else {
            hold.held().ensureHeld();
        }
    }

    private ReentrantHold current() {
        ReentrantHold hold = holds.current(id);
        if (hold == null) {
            throw new IllegalMonitorStateException("lock \"" + lock.name() + "\": this thread has not locked it");
        }
        return hold;
    }

    @Override
    public final Condition newCondition() {
        throw new UnsupportedOperationException("lock \"" + lock.name() + "\": a distributed lock has no conditions");
    }

    @Override
    public final boolean isHeldByCurrentThread() {
        @Nullable ReentrantHold hold = holds.current(id);
        return hold != null && hold.isLocked() && hold.held().isHeld();
    }

    @Override
    public final long fencingToken() {
        return current().held().fencingToken();
    }

    @Override
    public final String toString() {
        return lock + " as a java.util.concurrent.locks.Lock";
    }
}
