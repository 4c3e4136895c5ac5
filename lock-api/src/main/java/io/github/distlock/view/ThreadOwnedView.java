package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.DistributedLock;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.view.ReentrantHold.Entry;
import io.github.distlock.view.ReentrantHolds.Acquire;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/** A lock as {@code java.util.concurrent} knows it. Its holds are those of the reentrant view. */
final class ThreadOwnedView implements ThreadOwnedLock {
    private final Object id;
    private final DistributedLock lock;
    private final ReentrantHolds holds;

    ThreadOwnedView(Object id, DistributedLock lock, ReentrantHolds holds) {
        this.id = id;
        this.lock = lock;
        this.holds = holds;
    }

    @Override
    public void lock() {
        var unused = uninterruptibly(() -> Optional.of(lock.acquireUninterruptibly()));
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        var unused = interruptibly(() -> Optional.of(lock.acquire()));
    }

    @Override
    public boolean tryLock() {
        return uninterruptibly(lock::tryAcquire);
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        Duration maxWait = Duration.ofNanos(requireNonNull(unit, "unit").toNanos(time));
        return interruptibly(() -> lock.tryAcquire(maxWait));
    }

    private boolean interruptibly(Acquire acquire) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted before locking lock \"" + lock.name() + "\"");
        }
        return holds.enter(id, Entry.LOCK, acquire).isPresent();
    }

    private boolean uninterruptibly(Acquire acquire) {
        try {
            return holds.enter(id, Entry.LOCK, acquire).isPresent();
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible acquire was interrupted", e);
        }
    }

    @Override
    public void unlock() {
        ReentrantHold hold = current();
        if (hold.exit(Entry.LOCK)) {
            hold.held().close();
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
    public Condition newCondition() {
        throw new UnsupportedOperationException("lock \"" + lock.name() + "\": a distributed lock has no conditions");
    }

    @Override
    public boolean isHeldByCurrentThread() {
        @Nullable ReentrantHold hold = holds.current(id);
        return hold != null && hold.isLocked() && hold.held().isHeld();
    }

    @Override
    public long fencingToken() {
        return current().held().fencingToken();
    }

    @Override
    public String toString() {
        return lock + " as a java.util.concurrent.locks.Lock";
    }
}
