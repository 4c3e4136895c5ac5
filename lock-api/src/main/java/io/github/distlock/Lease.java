package io.github.distlock;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One grant of the store, from the moment it arrives until it is lost or given back. Waiters of this client may pass it
 * among themselves: it then has one {@link Hold} after the other.
 *
 * <h2>Validity</h2>
 *
 * {@link #expiry} is counted from before the sending of the last request that proves the grant, so it lies before the
 * store's own end of it. Only a confirmed renewal moves it, and only while it has not been reached: once past, for ever
 * past, even if the reply to a renewal shows up later. Whoever looks ({@link #hasExpired}) and sees that it is past ends
 * the lease; so an answer of "held" needs no thread to have run.
 *
 * <h2>End</h2>
 *
 * {@link #end} is set once, by a compare-and-set from null: to a {@link LossReason}, or to {@code GIVEN_BACK} by the holder
 * who found nobody to pass it to. The winner alone talks to the store about it, and only after the keeper has stopped
 * renewing it.
 *
 * <h2>Passing against losing</h2>
 *
 * {@link #offer} publishes the new hold in {@link #current} and then reads {@link #end}; {@link #lose} sets {@code end} and
 * then reads {@code current}. Both are volatile, so one of the two sees the other, and no hold of an ended lease stays held.
 */
final class Lease {
    private static final Object GIVEN_BACK = "GIVEN_BACK";
    private static final long LONGEST_RENEWAL_PAUSE = Duration.ofSeconds(1).toNanos();

    final LocalQueue queue;
    private final Engine engine;
    private final Grant grant;
    private final LockRequest request;
    private final boolean renewed;
    private final long grantedAt;
    private final long length;
    private final AtomicReference<@Nullable Object> end = new AtomicReference<>();
    private final AtomicBoolean renewing = new AtomicBoolean();
    private volatile Expiry expiry;
    private volatile long renewAt;
    private volatile boolean suspect;
    private volatile @Nullable Hold current;
    private int passes;

    Lease(LocalQueue queue, Engine engine, Grant grant, LockRequest request) {
        this.queue = queue;
        this.engine = engine;
        this.grant = grant;
        this.request = request;
        this.renewed = queue.options().isLeaseRenewed();
        this.grantedAt = engine.clock().nanoTime();
        Validity validity = grant.validity();
        this.expiry = engine.settings().expiry(validity);
        this.length = validity.length().toNanos();
        this.renewAt = renewAt(validity);
    }

    private static long renewAt(Validity validity) {
        return validity.from().nanoTime() + validity.renewAfter().toNanos();
    }

    String lockName() {
        return request.name();
    }

    LockClock clock() {
        return engine.clock();
    }

    Object server() {
        return grant.server();
    }

    // ---- holders -------------------------------------------------------------------------------------------------

    /** A hold for the next holder, or null when the lease has ended. Called by whoever ended the hold before, alone. */
    @Nullable
    Handle offer() {
        LockOptions options = queue.options();
        Moment now = engine.clock().now();
        Expiry limit = null;
        LossReason reason = LossReason.MAXIMUM_HOLD;
        if (options.maximumHold().isPresent()) {
            limit = Expiry.after(now, Checks.waitNanos(options.maximumHold().get()));
        }
        if (!renewed) {
            Validity whole = Validity.of(grant.validity().from(), request.lease());
            Expiry leaseEnd = engine.settings().expiry(whole);
            if (limit == null || leaseEnd.isBefore(limit)) {
                limit = leaseEnd;
                reason = LossReason.LEASE_ENDED;
            }
        }
        Handle handle = new Handle(engine, this, FencingTokens.token(grant.fencingBase(), passes++), limit, reason);
        current = handle.hold();
        engine.keeper().watch(this);
        if (end.get() != null) {
            engine.keeper().forget(this);
            handle.hold().lose(LossReason.GONE);
            return null;
        }
        return handle;
    }

    /** The holder is through: to the next local waiter, else back to the store. */
    Release givenUpBy(Hold hold) {
        return queue.passOn(this) ? Release.RELEASED : giveBack(hold);
    }

    /** Until when local waiters may expect to be passed this lease, or now. */
    long passableUntil(long now) {
        return mayBePassed() ? grantedAt + engine.settings().maxPassing() : now;
    }

    boolean isPassable() {
        return mayBePassed()
                && engine.clock().nanoTime() - grantedAt < engine.settings().maxPassing()
                && !hasExpired()
                && remainingNanos(engine.clock().now()) >= request.lease().toNanos() / 2;
    }

    private boolean mayBePassed() {
        return renewed
                && !queue.options().isFair()
                && end.get() == null
                && !suspect
                && passes <= engine.settings().maxPasses();
    }

    boolean isHeldBy(long threadId) {
        Hold hold = current;
        return hold != null && hold.wasAcquiredBy(threadId);
    }

    boolean isHeld() {
        Hold hold = current;
        return hold != null && hold.isHeld();
    }

    // ---- the end -------------------------------------------------------------------------------------------------

    /** Whether it has ended; ends it when it is seen to be past its time. No I/O. */
    boolean hasExpired() {
        if (end.get() != null) {
            return true;
        }
        Moment now = engine.clock().now();
        Hold hold = current;
        if (hold != null && hold.isOverLimit(now)) {
            lose(hold.limitReason());
            return true;
        }
        if (expiry.isPast(now)) {
            lose(LossReason.EXPIRED);
            return true;
        }
        return false;
    }

    /** Ends it as lost, unless it has ended; the store is cleaned up in the background, if there can be anything left. */
    void lose(LossReason reason) {
        if (loseQuietly(reason) && reason != LossReason.GONE) {
            cleanUp();
        }
    }

    void cleanUp() {
        engine.cleanUp().release(grant, request, () -> {});
    }

    /** The same without cleaning up. */
    boolean loseQuietly(LossReason reason) {
        if (!end.compareAndSet(null, reason)) {
            return false;
        }
        engine.keeper().forget(this);
        Hold hold = current;
        if (hold != null) {
            hold.lose(reason);
        }
        queue.ended(this);
        return true;
    }

    /** Gives it back to the store, waiting for the answer for at most the request time-out. */
    Release giveBack(@Nullable Hold hold) {
        if (!end.compareAndSet(null, GIVEN_BACK)) {
            if (hold != null && end.get() == LossReason.GONE) {
                hold.wasGone();
            }
            return Release.LOST;
        }
        engine.keeper().forget(this);
        try {
            if (releaseUninterrupted() == Grant.Release.RELEASED) {
                return Release.RELEASED;
            }
            if (hold != null) {
                hold.wasGone();
            }
            return Release.LOST;
        } catch (RuntimeException e) {
            engine.cleanUp().release(grant, request, hold == null ? () -> {} : hold::releaseConfirmed);
            return Release.PENDING;
        } finally {
            queue.ended(this);
        }
    }

    private Grant.Release releaseUninterrupted() {
        boolean interrupted = Thread.interrupted();
        Deadline deadline = engine.requestDeadline();
        try {
            while (true) {
                try {
                    return grant.release(deadline);
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (deadline.hasPassed()) {
                        throw new LockException(lockName(), "interrupted for as long as a release may take", e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether its release is on the way: asking the store for a new grant makes no sense before that is answered. */
    boolean isBeingGivenBack() {
        return end.get() == GIVEN_BACK;
    }

    /** Nobody wants it: gives it back without waiting. */
    void giveBackInBackground() {
        if (end.compareAndSet(null, GIVEN_BACK)) {
            engine.keeper().forget(this);
            cleanUp();
            queue.ended(this);
        }
    }

    void background(Runnable work) {
        engine.requests().execute(work);
    }

    // ---- renewal -------------------------------------------------------------------------------------------------

    boolean isSuspect() {
        return suspect;
    }

    long remainingNanos(Moment now) {
        return expiry.remainingNanos(now);
    }

    /** When the keeper must look again: for a renewal, or for the end. */
    long nextLook() {
        Hold hold = current;
        Expiry limit = hold == null ? null : hold.limit();
        Expiry ends = limit != null && limit.isBefore(expiry) ? limit : expiry;
        long looksAt = ends.nanoTime();
        return !renewing.get() && needsRenewal(limit) && renewAt - looksAt < 0 ? renewAt : looksAt;
    }

    private boolean needsRenewal(@Nullable Expiry limit) {
        return renewed || (limit != null && expiry.isBefore(limit));
    }

    boolean isDue(long nanoTime) {
        Hold hold = current;
        return !renewing.get() && renewAt - nanoTime <= 0 && needsRenewal(hold == null ? null : hold.limit());
    }

    /** A renewal for the keeper to send, or null when one is under way. */
    @Nullable
    LeaseRenewal renewal(Outages outages) {
        return renewing.compareAndSet(false, true) ? new LeaseRenewal(this, grant, request.lease(), outages) : null;
    }

    void renewed(Validity validity, long tookNanos) {
        if (!hasExpired()) {
            Expiry later = engine.settings().expiry(validity);
            if (expiry.isBefore(later)) {
                expiry = later;
            }
            renewAt = renewAt(validity);
            suspect = false;
            event(tookNanos, LockListener::renewed);
        }
        renewing.set(false);
    }

    void renewalUnknown() {
        becomeSuspect();
        renewAt = engine.clock().nanoTime() + Math.min(LONGEST_RENEWAL_PAUSE, length / 20);
        renewing.set(false);
    }

    /** The connection is in doubt: a renewal at once finds out. */
    void suspect() {
        becomeSuspect();
        renewAt = engine.clock().nanoTime();
        engine.keeper().lookBy(renewAt);
    }

    private void becomeSuspect() {
        if (!suspect && end.get() == null) {
            suspect = true;
            event(Math.max(0, remainingNanos(engine.clock().now())), LockListener::suspect);
            queue.wakeHead();
        }
    }

    void notePassed() {
        event(engine.clock().nanoTime() - grantedAt, LockListener::passed);
    }

    void wanted() {
        event(engine.clock().nanoTime() - grantedAt, LockListener::wanted);
    }

    private void event(long nanos, BiConsumer<LockListener, LockEvent> what) {
        Hold hold = current;
        event(hold == null ? 0 : hold.token, nanos, what);
    }

    void event(long token, long nanos, BiConsumer<LockListener, LockEvent> what) {
        if (engine.callbacks().hasListener()) {
            engine.callbacks().event(lockName(), token, nanos, what);
        }
    }

    /** How long a renewal of this lease may go unanswered, so that there is time for others. */
    long renewalTimeout() {
        return length / 6;
    }

    @Nullable
    LossReason lossReason() {
        return end.get() instanceof LossReason reason ? reason : null;
    }
}
