package io.github.distlock.spring;

import io.github.distlock.LockHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A hold that calls share: the call that has acquired the lock, calls inside it that join, and a transaction that must
 * complete first. The last one to leave releases the lock. So no call runs after the release, whatever the order in
 * which asynchronous calls end.
 *
 * <p>The call that has acquired the lock may return while asynchronous calls inside of it still use the hold. Then the
 * hold is detached from the thread, so the thread's next call of this lock waits for them.
 *
 * <p>The number of users goes from one up and down to zero, and never up from zero. A call that wants to join at zero
 * finds that it cannot, and acquires the lock itself. Thread-safe.
 */
final class Hold implements AutoCloseable {
    private final LockTarget target;
    private final LockHandle handle;
    private final Thread thread = Thread.currentThread();
    private final AtomicInteger users = new AtomicInteger(1);

    /** Makes a hold for the call that has acquired the lock, on its thread if it has one. */
    Hold(LockTarget target, LockHandle handle) {
        this.target = target;
        this.handle = handle;
    }

    LockHandle handle() {
        return handle;
    }

    boolean covers(LockTarget inner) {
        return target.covers(inner);
    }

    /** Joins the innermost of several holds that covers what a call locks. Returns null if there is none. */
    static @Nullable Hold join(Iterable<Hold> innermostFirst, LockTarget inner) {
        for (Hold hold : innermostFirst) {
            if (hold.target.covers(inner) && hold.join()) {
                return hold;
            }
            if (hold.target.isReadBy(inner)) {
                throw new IllegalStateException("lock \"" + inner.name() + "\": a call around this one holds it with"
                        + " mode READ, so this one would wait in vain for mode WRITE; use WRITE for the outer call");
            }
        }
        return null;
    }

    /**
     * Adds a user.
     *
     * @return false if the lock is released, or about to be
     * @throws io.github.distlock.LockLostException if it was lost
     */
    boolean join() {
        if (users.getAndUpdate(now -> now == 0 ? 0 : now + 1) == 0) {
            return false;
        }
        try {
            handle.ensureHeld();
        } catch (RuntimeException e) {
            leave();
            throw e;
        }
        return true;
    }

    /** Removes a user, and throws if the lock was lost. */
    @Override
    public void close() {
        if (users.decrementAndGet() == 0) {
            handle.close();
            return;
        }
        if (!ThreadHolds.isUsed(this, thread)) {
            handle.detach();
        }
        ensureNotLost();
    }

    /** The others may have left meanwhile, and the last of them has released the lock. That is no error. */
    private void ensureNotLost() {
        if (handle.state() == LockHandle.State.LOST) {
            handle.ensureHeld();
        }
    }

    /** Removes a user without waiting, whether the lock was lost or not. */
    void leave() {
        var unused = leaveAsync();
    }

    /** Removes a user without waiting. The future fails if the lock was lost. */
    CompletableFuture<Void> leaveAsync() {
        if (users.decrementAndGet() > 0) {
            return CompletableFuture.completedFuture(this).thenAccept(Hold::ensureNotLost);
        }
        return handle.releaseAsync().thenAccept(outcome -> {
            if (outcome == LockHandle.Release.LOST) {
                handle.ensureHeld();
            }
        });
    }
}
