package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.spi.Moment;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One holder's part of a {@link Lease}: who has it, under which token, and how it ended.
 *
 * <h2>State machine</h2>
 *
 * One atomic word. {@code OFFERED} until its waiter accepts it, then {@code HELD}, then for ever either {@code RELEASED}
 * or the {@link LockLoss}. Every end is one compare-and-set from {@code HELD}, so exactly one of a release, an expiry seen
 * by anybody, the store's word and the closing of the client wins, and the winner alone reports it. An offer that ends
 * before it is accepted was never a hold: nobody is told. ({@code SUSPECT} is the lease's business: it may come and go.)
 *
 * <h2>Handles are reached only weakly</h2>
 *
 * This object is the weak reference to its {@link Handle}. The engine reaches holds, but not handles, so a handle that is
 * dropped is collected, this reference is enqueued, and the leak is noticed. Listeners live in the handle for the same
 * reason: they often capture it. Who ends a hold as lost therefore takes the handle first: once the end can be seen, the holder
 * may drop it, and its listeners would never be told.
 */
final class Hold extends WeakReference<Handle> {
    private static final Logger LOG = LoggerFactory.getLogger(LockHandle.class);
    private static final Object OFFERED = "OFFERED";
    private static final Object HELD = "HELD";
    private static final Object RELEASED = "RELEASED";

    final Lease lease;
    final long token;
    private final AtomicReference<Object> state = new AtomicReference<>(OFFERED);
    private final long since;
    private volatile @Nullable Expiry limit;
    private volatile LossReason limitReason = LossReason.LEASE_ENDED;
    private volatile long threadId;
    private volatile @Nullable Throwable acquireStack;
    private volatile Release outcome = Release.PENDING;
    private volatile @Nullable LockLoss lateLoss;

    Hold(Lease lease, long token, @Nullable Expiry leaseEnd, Handle handle, ReferenceQueue<Handle> dropped) {
        super(handle, dropped);
        this.lease = lease;
        this.token = token;
        this.since = lease.clock().nanoTime();
        this.limit = leaseEnd;
    }

    /** The waiter takes it: false when it ended before. Whoever reads the clocks now reads them after the wait. */
    boolean accept(long thread, boolean recordStack) {
        threadId = thread;
        if (recordStack) {
            acquireStack = new Throwable("acquired here");
        }
        if (lease.hasExpired() || !state.compareAndSet(OFFERED, HELD)) {
            return false;
        }
        lease.queue.options().maximumHold().ifPresent(this::limitTo);
        return true;
    }

    private void limitTo(Duration maximum) {
        Expiry before = limit;
        Expiry after = Expiry.after(lease.clock().now(), Checks.waitNanos(maximum));
        if (before == null || after.isBefore(before)) {
            limitReason = LossReason.MAXIMUM_HOLD;
            limit = after;
            lease.lookBy(after);
        }
    }

    /** Nobody takes it. Whoever offered it does so at once, while the lease is still in its hand. */
    boolean refuse() {
        return state.compareAndSet(OFFERED, RELEASED);
    }

    /** Whom it was given does not take it after all: the lease goes on to the next, or back. */
    void decline() {
        if (refuse() && !lease.queue.passOn(lease)) {
            lease.giveBackInBackground();
        }
    }

    boolean isHeld() {
        if (state.get() == HELD && lease.hasExpired()) {
            lose(lease.lossReason());
        }
        return state.get() == HELD;
    }

    State state() {
        if (isHeld()) {
            return lease.isSuspect() ? State.SUSPECT : State.HELD;
        }
        return state.get() instanceof LockLoss ? State.LOST : State.RELEASED;
    }

    long remainingNanos(Moment now) {
        Expiry bound = limit;
        long remaining = lease.remainingNanos(now);
        return Math.max(0, bound == null ? remaining : Math.min(remaining, bound.remainingNanos(now)));
    }

    /** Whether a bound of this very hold, not of its lease, is over. */
    boolean isOverLimit(Moment now) {
        Expiry bound = limit;
        return bound != null && bound.isPast(now);
    }

    LossReason limitReason() {
        return limitReason;
    }

    @Nullable
    Expiry limit() {
        return limit;
    }

    boolean wasAcquiredBy(long thread) {
        return threadId == thread && state.get() == HELD;
    }

    long heldNanos() {
        return lease.clock().nanoTime() - since;
    }

    @CanIgnoreReturnValue
    Release release() {
        return end() ? giveUp() : knownRelease();
    }

    /** Ends the hold at once, and gives it up on an engine thread. */
    void releaseAsync(Consumer<Release> released) {
        if (end()) {
            lease.background(() -> {
                try {
                    giveUp();
                } finally {
                    released.accept(outcome);
                }
            });
        } else {
            released.accept(knownRelease());
        }
    }

    private boolean end() {
        return isHeld() && state.compareAndSet(HELD, RELEASED);
    }

    private Release knownRelease() {
        return state.get() instanceof LockLoss ? Release.LOST : outcome;
    }

    /** The winner of {@link #end()} passes the lease on or gives it back. */
    @CanIgnoreReturnValue
    private Release giveUp() {
        long held = heldNanos();
        Release released = lease.givenUpBy(this);
        LOG.trace("lock \"{}\", token {}: {}", lease.lockName(), token, released);
        // One that is pending may have been confirmed meanwhile.
        if (released != Release.PENDING) {
            outcome = released;
        }
        lease.event(token, held, (listener, event) -> listener.released(event, released));
        return released;
    }

    /** The store has confirmed a release that was pending. */
    void releaseConfirmed() {
        outcome = Release.RELEASED;
    }

    /** The release came too late after all: the hold counts as released for its state, and as lost for its outcome. */
    void wasLost(LossReason reason) {
        LockLoss loss = loss(reason);
        lateLoss = loss;
        report(loss, get());
    }

    void lose(LossReason reason) {
        if (state.get() == OFFERED && state.compareAndSet(OFFERED, RELEASED)) {
            return;
        }
        Handle handle = get();
        LockLoss loss = loss(reason);
        if (state.compareAndSet(HELD, loss)) {
            report(loss, handle);
        }
    }

    private LockLoss loss(LossReason reason) {
        Instant noticed = Instant.ofEpochMilli(lease.clock().wallMillis());
        return new LockLoss(lease.lockName(), token, reason, noticed, Duration.ofNanos(heldNanos()));
    }

    private void report(LockLoss loss, @Nullable Handle handle) {
        LOG.atLevel(loss.reason().isAskedFor() ? Level.WARN : Level.ERROR).log("{}", loss);
        if (handle != null) {
            handle.lost(loss);
        }
        lease.event(token, heldNanos(), (listener, event) -> listener.lost(event, loss.reason()));
    }

    /** How it was lost, or null. */
    @Nullable
    LockLoss loss() {
        return state.get() instanceof LockLoss loss ? loss : lateLoss;
    }

    /** Its handle was collected: if it was still open, it leaked. */
    void dropped() {
        decline();
        if (!isHeld()) {
            return;
        }
        LOG.error(
                "lock \"{}\", token {}: its handle was dropped without being closed, {} ms after the grant; releasing it. {}",
                lease.lockName(),
                token,
                heldNanos() / 1_000_000,
                acquireStack == null
                        ? "Where it was acquired is shown with recordAcquireStacks(true)"
                        : "It was acquired here:",
                acquireStack);
        lease.event(token, heldNanos(), (listener, event) -> listener.leaked(event));
        release();
    }
}
