package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One holder's part of a {@link Lease}: the fencing token, and how the hold ended.
 *
 * <h2>State machine</h2>
 *
 * One atomic reference. It is {@code OFFERED} until the waiter accepts the hold, then {@code HELD}, and at last either
 * {@code RELEASED} or {@link Lost}. Each end is one compare-and-set from {@code HELD}. So exactly one of a release, an
 * expiry seen by any thread, the store's answer and the closing of the client wins, and only the winner reports it. An
 * offer that ends before it is accepted was never a hold, so nobody is notified. ({@code SUSPECT} is a state of the
 * lease, which comes and goes.)
 *
 * <h2>Weak reference to the handle</h2>
 *
 * This object is the weak reference to its {@link Handle}. The engine reaches holds, but not handles. So the collector
 * removes a dropped handle and enqueues this reference, and the engine notices the leak. The handle has the listeners
 * for the same reason, since they often capture it. A thread that ends a hold as lost takes the handle first: after the
 * end is visible, the holder may drop the handle, and nobody would notify its listeners.
 */
final class Hold extends WeakReference<Handle> {
    private static final Logger LOG = LoggerFactory.getLogger(LockHandle.class);

    private final Lease lease;
    private final long token;
    private final LockOptions options;
    private final Lease.Shared shared;
    private final AtomicReference<Phase> phase = new AtomicReference<>(Open.OFFERED);
    /** When the waiter accepted it. */
    private volatile long since;

    private volatile Limits limits;
    /** Written before the hold is accepted, and read after its end. */
    private Flight.@Nullable Recorded recorded;

    private volatile long threadId;
    private volatile String threadName = "";
    private volatile @Nullable Throwable acquireStack;
    private volatile Release outcome = Release.PENDING;
    private volatile @Nullable LockLoss lateLoss;
    private volatile boolean forgoesMinimum;
    private volatile boolean detached;
    private boolean hooked;

    private sealed interface Phase {}

    private enum Open implements Phase {
        OFFERED,
        HELD,
        RELEASED
    }

    private record Lost(LockLoss loss) implements Phase {}

    Hold(Handle handle, Lease lease, long token, @Nullable Expiry leaseEnd, LockOptions options, Lease.Shared shared) {
        super(handle, shared.droppedHandles());
        this.lease = lease;
        this.token = token;
        this.options = options;
        this.shared = shared;
        this.limits = leaseEnd == null ? Limits.NONE : new Limits(leaseEnd, null);
    }

    String lockName() {
        return lease.lockName();
    }

    long token() {
        return token;
    }

    /**
     * Returns false if the hold ended before, or if too little validity is left: then another waiter or the store gets
     * the lease. It reads the clocks, since the waiter may have waited.
     */
    boolean accept(long thread, String name, boolean recordStack) {
        threadName = name;
        threadId = thread;
        acquireStack = recordStack ? new Throwable("acquired here") : null;
        recorded = Flight.holding();
        Moment now = clock().now();
        since = now.nanoTime();
        if (lease.minimumValidity > 0 && remainingNanos(now) < lease.minimumValidity) {
            decline();
        }
        if (lease.hasExpired(now)) {
            return false;
        }
        lease.holds.noteHeld(); // first, since a loss refuses the offer and then looks
        if (!phase.compareAndSet(Open.OFFERED, Open.HELD)) {
            return false;
        }
        Optional<Duration> maximum = options.maximumHold();
        if (maximum.isPresent()) {
            limitTo(maximum.get(), now);
        }
        return true;
    }

    private void limitTo(Duration maximum, Moment now) {
        Expiry after = Expiry.after(now, Checks.waitNanos(maximum));
        limits = limits.withMaximum(after);
        shared.keeper().lookBy(after.nanoTime());
    }

    /** Moves the end of a fixed lease, which the store keeps until then. One thread at a time does so. */
    void extendTo(Expiry end) {
        limits = limits.extended(end, clock().now());
    }

    private LockClock clock() {
        return shared.clock();
    }

    /** Ends an offer. Returns false if the offer was accepted or has ended. */
    boolean refuse() {
        boolean ended = phase.compareAndSet(Open.OFFERED, Open.RELEASED);
        if (ended) {
            lease.forget(this);
        }
        return ended;
    }

    /** The acquire that was offered this hold does not accept it. */
    void decline() {
        if (refuse()) {
            lease.declined();
        }
    }

    boolean isHeld() {
        return phase.get() == Open.HELD && isHeld(clock().now());
    }

    private boolean isHeld(Moment now) {
        if (phase.get() == Open.HELD && lease.hasExpired(now)) {
            lose(lease.lossReason());
        }
        return phase.get() == Open.HELD;
    }

    State state() {
        if (isHeld()) {
            return lease.term.isSuspect() ? State.SUSPECT : State.HELD;
        }
        return phase.get() instanceof Lost ? State.LOST : State.RELEASED;
    }

    long remainingNanos(Moment now) {
        return Math.max(0, Math.min(lease.remainingNanos(now), limits.remainingNanos(now)));
    }

    /** Returns whether a limit of this hold, not of its lease, is over. */
    boolean isOverLimit(Moment now) {
        return limits.remainingNanos(now) <= 0;
    }

    /** Returns when this hold ends although its lease does not. */
    Limits limits() {
        return limits;
    }

    boolean isOf(long thread) {
        return ownerId() == thread && phase.get() == Open.HELD;
    }

    /** The work of the hold goes on without its thread. */
    void detach() {
        detached = true;
    }

    /** Returns the thread that waits for itself if it waits for this hold, or {@link Acquisition#NO_THREAD}. */
    long ownerId() {
        return detached ? Acquisition.NO_THREAD : threadId;
    }

    /** Returns the thread of the acquire, or {@link Acquisition#NO_THREAD}. */
    long threadId() {
        return threadId;
    }

    /** Returns the name that the thread of the acquire had. */
    String threadName() {
        return threadName;
    }

    /** Returns where it was acquired, or null if the client does not record that. */
    @Nullable
    Throwable acquireStack() {
        return acquireStack;
    }

    LockMode mode() {
        return lease.mode();
    }

    long since() {
        return since;
    }

    private long heldNanos() {
        return heldNanos(clock().nanoTime());
    }

    long heldNanos(long now) {
        return now - since;
    }

    /** The caller never got the hold, so its release keeps nothing. */
    void forgoMinimum() {
        forgoesMinimum = true;
    }

    /** Returns true at the first call, around which hooks run. The mutex of the handle guards this. */
    boolean beginHookedEnd() {
        boolean first = !hooked;
        hooked = true;
        return first;
    }

    /** Returns for how long the store must keep the lock if this hold is released now. */
    Duration keptFor() {
        return forgoesMinimum ? Duration.ZERO : KeptTime.afterRelease(options, heldNanos(), shared.settings());
    }

    @CanIgnoreReturnValue
    Release release() {
        Moment now = clock().now();
        return end(now) ? giveUp(now) : knownRelease();
    }

    /** Ends the hold at once, and gives it up on a thread of the engine. */
    void releaseAsync(Consumer<Release> released) {
        if (end(clock().now())) {
            shared.releases().execute(() -> {
                try {
                    giveUp(clock().now());
                } finally {
                    released.accept(outcome);
                }
            });
        } else {
            released.accept(knownRelease());
        }
    }

    private boolean end(Moment now) {
        return isHeld(now) && phase.compareAndSet(Open.HELD, Open.RELEASED);
    }

    /** Returns what is known of the end of this hold, which has been released or lost. */
    Release knownRelease() {
        return phase.get() instanceof Lost ? Release.LOST : outcome;
    }

    /** The winner of {@link #end} hands the lease off or gives it back. */
    @CanIgnoreReturnValue
    private Release giveUp(Moment now) {
        lease.forget(this);
        return ended(lease.givenUpBy(this, now), heldNanos(now.nanoTime()));
    }

    @CanIgnoreReturnValue
    private Release ended(Release released, long held) {
        // A pending release may have been confirmed meanwhile.
        if (released != Release.PENDING) {
            outcome = released;
        }
        record(released);
        event(held, (listener, event) -> listener.released(event, released));
        return released;
    }

    /**
     * Ends this hold and its lease for a downgrade. Returns false if the hold had ended, or if the lease was lost
     * since.
     */
    boolean endForDowngrade() {
        if (!end(clock().now())) {
            return false;
        }
        boolean ended = lease.endAsGivenBack();
        if (!ended) {
            lostByDowngrade(lease.lossReason());
        }
        return ended;
    }

    /** The store has answered to a downgrade, or the outcome is pending. */
    void downgraded(Release released) {
        ended(released, heldNanos());
    }

    /** A downgrade has found that the hold was gone. */
    void lostByDowngrade(LossReason reason) {
        wasLost(reason);
        ended(Release.LOST, heldNanos());
    }

    Lease lease() {
        return lease;
    }

    LockOptions options() {
        return options;
    }

    /** The store has confirmed a release that was pending. */
    void releaseConfirmed() {
        outcome = Release.RELEASED;
    }

    /** The release came too late: the state stays released, and the outcome of the release is lost. */
    void wasLost(LossReason reason) {
        LockLoss loss = newLoss(reason);
        lateLoss = loss;
        report(loss, get());
    }

    /** Ends this hold or this offer as lost. Returns false if it had ended. */
    @CanIgnoreReturnValue
    boolean lose(LossReason reason) {
        if (refuse()) {
            return true;
        }
        Handle handle = get();
        LockLoss loss = newLoss(reason);
        if (!phase.compareAndSet(Open.HELD, new Lost(loss))) {
            return false;
        }
        lease.forget(this);
        report(loss, handle);
        return true;
    }

    private LockLoss newLoss(LossReason reason) {
        Instant noticed = Instant.ofEpochMilli(clock().wallMillis());
        return new LockLoss(lockName(), token, reason, noticed, Duration.ofNanos(heldNanos()));
    }

    private void record(Enum<?> outcome) {
        Flight.Recorded event = recorded;
        if (event != null) {
            recorded = null;
            Flight.end(event, shared.settings().client(), lockName(), token, outcome);
        }
    }

    private void report(LockLoss loss, @Nullable Handle handle) {
        record(Release.LOST);
        Flight.lost(shared.settings().client(), lockName(), token, loss.held().toNanos(), loss.reason(), threadName);
        if (handle != null) {
            handle.lost(loss);
        }
        event(heldNanos(), (listener, event) -> listener.lost(event, loss.reason()));
        Level level = isAskedFor(loss.reason()) ? Level.WARN : Level.ERROR;
        shared.log().write(() -> LOG.atLevel(level).log("{}", loss));
    }

    private static boolean isAskedFor(LossReason reason) {
        return switch (reason) {
            case LEASE_ENDED, MAXIMUM_HOLD, CLIENT_CLOSED, CHECKPOINT -> true;
            case EXPIRED, GONE -> false;
        };
    }

    private void event(long nanos, BiConsumer<LockListener, LockEvent> what) {
        shared.callbacks().event(lockName(), token, nanos, what);
    }

    /** Returns how the hold was lost, or null. */
    @Nullable
    LockLoss loss() {
        return phase.get() instanceof Lost lost ? lost.loss : lateLoss;
    }

    /** The handle was collected. If the hold was still open, it leaked. Does not wait: no release delays a report. */
    void dropped() {
        decline();
        if (!isHeld()) {
            return;
        }
        long millis = heldNanos() / 1_000_000;
        shared.log()
                .write(() -> LOG.error(
                        "lock \"{}\", token {}: its handle was dropped without being closed, {} ms after the grant; "
                                + "{}. {}",
                        lockName(),
                        token,
                        millis,
                        options.lockDelay()
                                .map(delay -> "it stays busy for its lock delay of " + delay)
                                .orElse("releasing it"),
                        acquireStack == null
                                ? "Where it was acquired is shown with recordAcquireStacks(true)"
                                : "It was acquired here:",
                        acquireStack));
        event(heldNanos(), (listener, event) -> listener.leaked(event));
        if (options.lockDelay().isEmpty()) {
            shared.releases().executeUnlessClosed(this::release);
        } else if (end(clock().now())) {
            // Nobody has said that its work is done.
            lease.lose(LossReason.EXPIRED);
            ended(Release.PENDING, heldNanos());
        }
    }
}
