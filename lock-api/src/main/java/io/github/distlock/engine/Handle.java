package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.ReleaseRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.view.Cancellations;
import io.github.distlock.view.Owned;
import io.github.distlock.view.Returnable;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the holder uses: a thin cover of its {@link Hold}, which nothing else reaches. A fence keeps it reachable while
 * a release runs. Otherwise the collector could take it for dropped in the middle of its own release.
 */
final class Handle implements LockHandle, Returnable, Owned {
    private final Hold hold;
    private final Lease.Shared shared;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ReentrantLock mutex = new ReentrantLock();
    private @Nullable List<Consumer<? super LockLoss>> listeners;
    private volatile @Nullable Cancellations cancellations;
    private volatile @Nullable OwnerInterrupt interrupt;
    private volatile @Nullable Warnings warnings;
    private ReleaseRequests.@Nullable Listeners requestListeners;

    /** Renews holds, and grants that nobody holds yet, on the thread that needs them. */
    interface Renewals {
        /** Does the work of {@code LockHandle.extend(time)}, with its errors. */
        void extend(Handle held, Duration time);

        /** Does the work of {@code LockHandle.ensure(time)}, with its errors. */
        void ensure(Handle held, Duration time);

        /**
         * Returns whether a lease without a hold has its minimum validity, after a renewal if necessary. Otherwise the
         * lease has ended, and has gone back to the store.
         */
        boolean isOfUse(Lease granted, Patience patience);

        /** Returns why no grant of this store can have the minimum validity of a lease, or null if one may have it. */
        @Nullable
        RequestRefusedException refusal(Lease granted);
    }

    /** Makes the hold together with its handle. */
    Handle(Lease lease, long token, @Nullable Expiry leaseEnd, LockOptions options, Lease.Shared shared) {
        this.hold = new Hold(this, lease, token, leaseEnd, options, shared);
        this.shared = shared;
    }

    Hold hold() {
        return hold;
    }

    /** Returns whether this keeper renews the lease, so that the hold is one of its client. */
    boolean isRenewedBy(LeaseKeeper keeper) {
        return shared.keeper() == keeper;
    }

    @Override
    public String lockName() {
        return hold.lockName();
    }

    @Override
    public long fencingToken() {
        return hold.token();
    }

    @Override
    public State state() {
        return hold.state();
    }

    @Override
    public boolean isHeld() {
        return hold.isHeld();
    }

    @Override
    public Duration remaining() {
        return isHeld() ? Duration.ofNanos(hold.remainingNanos(shared.clock().now())) : Duration.ZERO;
    }

    @Override
    public void ensureHeld() {
        if (!isHeld()) {
            LockLoss loss = hold.loss();
            if (loss != null) {
                throw new LockLostException(loss);
            }
            throw new IllegalStateException("lock \"" + lockName() + "\" was released");
        }
    }

    @Override
    public void extend(Duration time) {
        try {
            shared.requested().extend(this, time);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public void ensure(Duration time) {
        try {
            shared.requested().ensure(this, time);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public void warnBefore(Duration time, Runnable action) {
        long before = Checks.positiveNanos(time, "time");
        requireNonNull(action, "action");
        if (isHeld()) {
            warnings().add(before, action);
            shared.keeper().lookBy(hold.lease().nextLook());
        }
    }

    private Warnings warnings() {
        mutex.lock();
        try {
            Warnings present = warnings;
            if (present == null) {
                present = new Warnings(shared.clock(), shared.callbacks(), hold::remainingNanos, this::isHeld);
                warnings = present;
            }
            return present;
        } finally {
            mutex.unlock();
        }
    }

    /** Warns the holder if it has asked for it. Returns the earlier one of a nano time and the next warning. */
    long warn(long nanoTime) {
        Warnings present = warnings;
        return present == null ? nanoTime : present.look(nanoTime);
    }

    @Override
    public void onLost(Consumer<? super LockLoss> listener) {
        requireNonNull(listener, "listener");
        mutex.lock();
        try {
            if (isHeld()) {
                if (listeners == null) {
                    listeners = new ArrayList<>(1);
                }
                listeners.add(listener);
                return;
            }
        } finally {
            mutex.unlock();
        }
        LockLoss loss = hold.loss();
        if (loss != null) {
            shared.callbacks().run(() -> listener.accept(loss));
        }
    }

    @Override
    public void cancelOnLoss(Future<?> future) {
        cancellations = Cancellations.with(cancellations, this, future);
    }

    /** A loss changes {@link Hold#loss} and then reads {@code interrupt}. So at least one of the two sees the other. */
    @Override
    public void interruptOnLoss() {
        if (interrupt == null && hold.options().interruptsOnLoss()) {
            OwnerInterrupt ofThread = new OwnerInterrupt(Thread.currentThread());
            interrupt = ofThread;
            LockLoss loss = hold.loss();
            if (loss != null) {
                ofThread.lost(loss, shared.callbacks());
            }
        }
    }

    private void endInterrupt() {
        OwnerInterrupt ofThread = interrupt;
        if (ofThread != null) {
            ofThread.end();
        }
    }

    void lost(LockLoss loss) {
        OwnerInterrupt ofThread = interrupt;
        if (ofThread != null) {
            ofThread.lost(loss, shared.callbacks());
        }
        List<Consumer<? super LockLoss>> notified;
        mutex.lock();
        try {
            notified = listeners == null ? List.of() : listeners;
            listeners = null;
        } finally {
            mutex.unlock();
        }
        notified.forEach(listener -> shared.callbacks().run(() -> listener.accept(loss)));
    }

    @Override
    public void onReleaseRequested(Consumer<? super ReleaseRequest> listener) {
        requireNonNull(listener, "listener");
        ReleaseRequests requests = shared.keeper().releaseRequests();
        requests.requireSupport();
        if (isHeld()) {
            ReleaseRequests.Listeners all = requestListeners();
            all.add(listener);
            requests.watch(all);
        }
    }

    private ReleaseRequests.Listeners requestListeners() {
        mutex.lock();
        try {
            if (requestListeners == null) {
                Lease lease = hold.lease();
                requestListeners = new ReleaseRequests.Listeners(
                        lease.won(),
                        hold.token(),
                        hold.since(),
                        lease.holds.isFirst(hold),
                        hold::isHeld,
                        shared.callbacks());
            }
            return requestListeners;
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public void detach() {
        hold.detach();
        endInterrupt();
    }

    @Override
    public Release release() {
        closed.set(true);
        endInterrupt();
        try {
            return hooks().areNone() ? hold.release() : ending(hold::release, hold::knownRelease);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public CompletableFuture<Release> releaseAsync() {
        closed.set(true);
        endInterrupt();
        try {
            CompletableFuture<Release> released = shared.callbacks().newFuture();
            return ending(
                    () -> {
                        hold.releaseAsync(outcome -> shared.callbacks().run(() -> released.complete(outcome)));
                        return released;
                    },
                    () -> hold.loss() == null ? Release.PENDING : Release.LOST);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private Hooks hooks() {
        return shared.callbacks().hooks();
    }

    /** Runs what turns the hold into another one. */
    <T> T changing(Supplier<T> end) {
        endInterrupt();
        return ending(end, hold::knownRelease);
    }

    /** Runs what ends the hold. Hooks run around the first call, as they did for its acquire. */
    private <T> T ending(Supplier<T> end, Supplier<Release> outcome) {
        if (hooks().areNone() || hold.threadId() == Acquisition.NO_THREAD || !isFirstEnd()) {
            return end.get();
        }
        Duration held = Duration.ofNanos(hold.heldNanos(shared.clock().nanoTime()));
        return hooks().aroundRelease(new LockEvent(lockName(), fencingToken(), held), end, outcome);
    }

    private boolean isFirstEnd() {
        mutex.lock();
        try {
            return hold.beginHookedEnd();
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public Release giveBack() {
        hold.forgoMinimum();
        return release();
    }

    @Override
    public CompletableFuture<Release> giveBackAsync() {
        hold.forgoMinimum();
        return releaseAsync();
    }

    @Override
    public void close() {
        endInterrupt(); // Also after a release on another thread.
        if (closed.compareAndSet(false, true) && release() == Release.LOST) {
            LockLoss loss = hold.loss();
            if (loss != null) {
                throw new LockLostException(loss);
            }
        }
    }

    @Override
    public String toString() {
        return "hold of lock \"" + lockName() + "\", token " + fencingToken() + ", " + state();
    }
}
