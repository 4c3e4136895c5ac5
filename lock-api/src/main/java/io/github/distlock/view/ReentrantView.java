package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.view.ReentrantHold.Entry;
import io.github.distlock.view.ReentrantHolds.Acquire;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A lock that its holder may acquire again: the holder is a thread. Each acquire returns a handle of its own. */
final class ReentrantView implements DistributedLock {
    private final Object id;
    private final DistributedLock lock;
    private final ReentrantHolds holds;

    ReentrantView(Object id, DistributedLock lock, ReentrantHolds holds) {
        this.id = id;
        this.lock = lock;
        this.holds = holds;
    }

    @Override
    public String name() {
        return lock.name();
    }

    @Override
    public LockOptions options() {
        return lock.options();
    }

    @Override
    public LockHandle acquire() throws InterruptedException {
        return interruptibly(() -> Optional.of(lock.acquire())).orElseThrow();
    }

    @Override
    public LockHandle acquireUninterruptibly() {
        return uninterruptibly(() -> Optional.of(lock.acquireUninterruptibly())).orElseThrow();
    }

    @Override
    public Optional<LockHandle> tryAcquire() {
        return uninterruptibly(lock::tryAcquire);
    }

    @Override
    public Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException {
        requireNonNull(maxWait, "maxWait");
        return interruptibly(() -> lock.tryAcquire(maxWait));
    }

    private Optional<LockHandle> interruptibly(Acquire acquire) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted before acquiring lock \"" + name() + "\"");
        }
        return holds.enter(id, Entry.HANDLE, options(), acquire).map(ReentrantHandle::new);
    }

    private Optional<LockHandle> uninterruptibly(Acquire acquire) {
        try {
            return holds.enter(id, Entry.HANDLE, options(), acquire).map(ReentrantHandle::new);
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible acquire was interrupted", e);
        }
    }

    @Override
    public CompletableFuture<LockHandle> acquireAsync() {
        throw needsThread();
    }

    @Override
    public CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait) {
        throw needsThread();
    }

    private UnsupportedOperationException needsThread() {
        return new UnsupportedOperationException(
                "lock \"" + name() + "\": a reentrant hold belongs to a thread, and an asynchronous acquire has none");
    }

    @Override
    public DistributedLock reentrant() {
        return this;
    }

    @Override
    public ThreadOwnedLock asLock() {
        return lock.asLock();
    }

    @Override
    public String toString() {
        return "reentrant " + lock;
    }
}
