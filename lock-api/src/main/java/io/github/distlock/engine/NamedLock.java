package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.view.ReentrantHolds;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A name and its options. Each acquire is an {@link Acquisition} of its own. */
final class NamedLock implements DistributedLock {
    private final LocalQueue.Key key;
    private final Shared shared;

    /**
     * What all locks of a client share.
     *
     * @param backend says which threads must not wait
     * @param acquisitions what their acquires share
     * @param timer wakes asynchronous acquires
     * @param threads run asynchronous acquires
     * @param reentrantHolds what the reentrant views share
     */
    record Shared(
            LockBackend backend,
            Settings settings,
            Lifecycle lifecycle,
            Acquisition.Shared acquisitions,
            Timer timer,
            Work threads,
            ReentrantHolds reentrantHolds) {}

    NamedLock(LocalQueue.Key key, Shared shared) {
        this.key = key;
        this.shared = shared;
    }

    @Override
    public String name() {
        return key.name();
    }

    @Override
    public LockOptions options() {
        return key.options();
    }

    @Override
    public LockHandle acquire() throws InterruptedException {
        return acquire(untilHeld(), true)
                .orElseThrow(() -> new AssertionError("an acquire without a limit ended as busy"));
    }

    @Override
    public LockHandle acquireUninterruptibly() {
        return acquireUninterruptibly(untilHeld())
                .orElseThrow(() -> new AssertionError("an acquire without a limit ended as busy"));
    }

    @Override
    public Optional<LockHandle> tryAcquire() {
        return acquireUninterruptibly(limited(Duration.ZERO));
    }

    private Optional<LockHandle> acquireUninterruptibly(Patience patience) {
        try {
            return acquire(patience, false);
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible acquire was interrupted", e);
        }
    }

    @Override
    public Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException {
        return acquire(limited(maxWait), true);
    }

    private Patience untilHeld() {
        return Patience.untilHeld(shared.settings, shared.acquisitions.clock());
    }

    private Patience limited(Duration maxWait) {
        return Patience.limited(requireNonNull(maxWait, "maxWait"), shared.settings, shared.acquisitions.clock());
    }

    private Optional<LockHandle> acquire(Patience patience, boolean interruptible) throws InterruptedException {
        shared.lifecycle.ensureOpen();
        if (interruptible && Thread.interrupted()) {
            throw new InterruptedException("interrupted before acquiring lock \"" + name() + "\"");
        }
        try {
            shared.backend.requireMayWait();
        } catch (RequestRefusedException e) {
            throw new LockException(name(), String.valueOf(e.getMessage()), e);
        }
        return new BlockingAcquisition(key, patience, shared.acquisitions).acquire(interruptible);
    }

    @Override
    public CompletableFuture<LockHandle> acquireAsync() {
        return acquireAsync(untilHeld(), Optional::orElseThrow);
    }

    @Override
    public CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait) {
        return acquireAsync(limited(maxWait), held -> held);
    }

    private <T> CompletableFuture<T> acquireAsync(Patience patience, Function<Optional<LockHandle>, T> result) {
        if (shared.lifecycle.isClosed()) {
            CompletableFuture<T> refused = shared.acquisitions.callbacks().newFuture();
            refused.completeExceptionally(shared.lifecycle.closedException());
            return refused;
        }
        return new AsyncAcquisition<>(key, patience, shared.acquisitions, shared.timer, shared.threads, result).start();
    }

    @Override
    public DistributedLock reentrant() {
        return shared.reentrantHolds.reentrant(this);
    }

    @Override
    public ThreadOwnedLock asLock() {
        return shared.reentrantHolds.asLock(name(), this);
    }

    @Override
    public String toString() {
        return "lock \"" + name() + "\", " + options();
    }
}
