package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.view.Owned;
import io.github.distlock.view.ReentrantHolds;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A name, a mode and options. Each acquire is an {@link Acquisition} of its own. */
final class NamedLock implements DistributedLock {
    private final LockKey key;
    private final Shared shared;
    /** Whether it is one of several locks that are acquired together. */
    private final boolean part;

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

    /** What distinguishes the reentrant holds of this lock from those of other locks. */
    private record OwnerId(String name, LockMode.Kind kind) {}

    NamedLock(LockKey key, Shared shared) {
        this(key, shared, false);
    }

    private NamedLock(LockKey key, Shared shared, boolean part) {
        this.key = key;
        this.shared = shared;
        this.part = part;
    }

    /** Returns this lock as one of several. A loss interrupts their thread only after all of them are held. */
    NamedLock asPart() {
        return new NamedLock(key, shared, true);
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
        requireNoUpgrade();
        BlockingAcquisition acquisition = new BlockingAcquisition(key, patience, shared.acquisitions);
        if (interruptible && Thread.interrupted()) {
            acquisition.noteNotAcquired(AcquireOutcome.INTERRUPTED);
            throw new InterruptedException("interrupted before acquiring lock \"" + name() + "\"");
        }
        try {
            shared.backend.requireMayWait();
        } catch (RequestRefusedException e) {
            acquisition.noteNotAcquired(AcquireOutcome.REFUSED);
            throw new LockException(name(), String.valueOf(e.getMessage()), e);
        }
        Optional<LockHandle> held = acquisition.acquire(interruptible);
        if (!part) {
            held.ifPresent(Owned::interruptOnLoss);
        }
        return held;
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
        if (options().interruptsOnLoss()) {
            throw new UnsupportedOperationException("lock \"" + name()
                    + "\": interruptOnLoss needs a thread, and an asynchronous acquire has none; use cancelOnLoss");
        }
        if (shared.lifecycle.isClosed()) {
            return failed(shared.lifecycle.closedException());
        }
        try {
            requireNoUpgrade();
        } catch (IllegalStateException e) {
            return failed(e);
        }
        return new AsyncAcquisition<>(key, patience, shared.acquisitions, shared.timer, shared.threads, result).start();
    }

    private <T> CompletableFuture<T> failed(Throwable failure) {
        CompletableFuture<T> refused = shared.acquisitions.callbacks().newFuture();
        refused.completeExceptionally(failure);
        return refused;
    }

    /** Throws if the calling thread would wait for itself: it holds the read lock and wants the write lock. */
    private void requireNoUpgrade() {
        if (key.mode().equals(LockMode.WRITE)
                && shared.acquisitions.queues().isReadBy(Thread.currentThread().getId(), name())) {
            throw new IllegalStateException(
                    "lock \"" + name() + "\": this thread holds the read lock, and so would wait"
                            + " for itself; release the read lock first, and check again what was read");
        }
    }

    @Override
    public DistributedLock reentrant() {
        return shared.reentrantHolds.reentrant(ownerId(), this);
    }

    @Override
    public ThreadOwnedLock asLock() {
        return shared.reentrantHolds.asLock(ownerId(), this);
    }

    Object ownerId() {
        if (key.mode().count() > 1) {
            throw new UnsupportedOperationException("lock \"" + name() + "\": only one permit can be reentrant");
        }
        return new OwnerId(name(), key.mode().kind());
    }

    @Override
    public String toString() {
        return "lock \"" + name() + "\", "
                + (key.mode().equals(LockMode.EXCLUSIVE) ? "" : key.mode() + ", ")
                + options();
    }
}
