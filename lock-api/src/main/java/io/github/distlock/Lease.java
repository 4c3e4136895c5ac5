package io.github.distlock;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle.Release;
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
 * <h2>Expiry</h2>
 *
 * Whoever looks ({@link #hasExpired}) and sees that its {@link Term} is past ends the lease; so an answer of "held" needs no
 * thread to have run. Once past, for ever past, even if the reply to a renewal shows up later.
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
    private static final long ENOUGH_TO_RENEW = Duration.ofSeconds(1).toNanos();

    final LocalQueue queue;
    private final Engine engine;
    private final Grant grant;
    private final LockRequest request;
    private final boolean renewed;
    private final long grantedAt;
    private final Object server;
    private final Term term;
    private final AtomicReference<@Nullable Object> end = new AtomicReference<>();
    private final AtomicBoolean alarmed = new AtomicBoolean();
    private volatile @Nullable Hold current;
    private int passes;

    /** Throws when the backend has broken its contract. */
    Lease(LocalQueue queue, Engine engine, Grant grant, LockRequest request) {
        FencingTokens.requireBase(grant.fencingBase());
        this.queue = queue;
        this.engine = engine;
        this.grant = grant;
        this.request = request;
        this.renewed = queue.options().isLeaseRenewed();
        this.grantedAt = engine.clock().nanoTime();
        this.server = requireNonNull(grant.server(), "the grant's server");
        this.term = new Term(grant.validity(), engine.settings(), engine.clock());
    }

    String lockName() {
        return request.name();
    }

    LockClock clock() {
        return engine.clock();
    }

    Object server() {
        return server;
    }

    // ---- holders -------------------------------------------------------------------------------------------------

    /** A hold for the next holder, or null when the lease has ended. Called by whoever ended the hold before, alone. */
    @Nullable
    Handle offer() {
        Expiry leaseEnd = renewed
                ? null
                : engine.settings().expiry(Validity.of(grant.validity().from(), request.lease()));
        long token = FencingTokens.token(grant.fencingBase(), passes++);
        Handle handle = new Handle(engine, this, token, leaseEnd);
        current = handle.hold();
        if (passes == 1) {
            engine.keeper().watch(this);
        }
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

    /**
     * Whether the first local waiter does better not to ask the store: because this lease may be passed to it, until an alarm
     * that is set here, or because its release is on the way.
     */
    boolean isWorthWaitingFor() {
        long passableUntil = grantedAt + engine.settings().maxPassing();
        if (end.get() == GIVEN_BACK) {
            return true;
        }
        if (!mayBePassed() || passableUntil - engine.clock().nanoTime() <= 0) {
            return false;
        }
        if (alarmed.compareAndSet(false, true)) {
            engine.timer().at(passableUntil, queue::wakeHead);
        }
        return true;
    }

    boolean isPassable() {
        return mayBePassed()
                && engine.clock().nanoTime() - grantedAt < engine.settings().maxPassing()
                && !hasExpired()
                && remainingNanos(engine.clock().now()) >= enoughToPass();
    }

    /** Time to renew more than once; a lease that the store handed over has less of it than one that was asked for. */
    private long enoughToPass() {
        return Math.min(request.lease().toNanos() / 2, ENOUGH_TO_RENEW);
    }

    private boolean mayBePassed() {
        return renewed
                && !queue.options().isFair()
                && end.get() == null
                && !term.isSuspect()
                && passes <= engine.settings().maxPasses();
    }

    boolean isHeldBy(long threadId) {
        Hold hold = current;
        return hold != null && hold.wasAcquiredBy(threadId);
    }

    /** Whether it is somebody's, or on its way to somebody. */
    boolean isAlive() {
        return !hasExpired();
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
        if (term.end().isPast(now)) {
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
        try {
            Hold hold = current;
            if (hold != null) {
                hold.lose(reason);
            }
        } finally {
            queue.ended(this);
        }
        return true;
    }

    /** Gives it back to the store, waiting for the answer for at most the request time-out. */
    private Release giveBack(Hold hold) {
        if (!end.compareAndSet(null, GIVEN_BACK)) {
            hold.wasLost(lossReason());
            return Release.LOST;
        }
        engine.keeper().forget(this);
        engine.requestsUnderWay().incrementAndGet();
        try {
            if (Uninterrupted.call(grant::release, engine.requestDeadline()) == Grant.Release.RELEASED) {
                return Release.RELEASED;
            }
            hold.wasLost(LossReason.GONE);
            return Release.LOST;
        } catch (RuntimeException e) {
            engine.cleanUp().release(grant, request, hold::releaseConfirmed);
            return Release.PENDING;
        } finally {
            engine.requestsUnderWay().decrementAndGet();
            queue.ended(this);
        }
    }

    /** Nobody wants it: gives it back without waiting. */
    void giveBackInBackground() {
        if (end.compareAndSet(null, GIVEN_BACK)) {
            engine.keeper().forget(this);
            cleanUp();
            queue.ended(this);
        }
    }

    void lookBy(Expiry limit) {
        engine.keeper().lookBy(limit.nanoTime());
    }

    void background(Runnable work) {
        engine.releases().execute(work);
    }

    // ---- renewal -------------------------------------------------------------------------------------------------

    boolean isSuspect() {
        return term.isSuspect();
    }

    long remainingNanos(Moment now) {
        return term.remainingNanos(now);
    }

    /** When the keeper must look again: for a renewal, or for the end. */
    long nextLook() {
        Expiry limit = limit();
        long looksAt = needsRenewal(limit) ? term.nextLook() : term.end().nanoTime();
        return limit != null && limit.nanoTime() - looksAt < 0 ? limit.nanoTime() : looksAt;
    }

    /** Where no renewal can be sent, only the end needs a look. */
    long endsAt() {
        Expiry limit = limit();
        Expiry ends = term.end();
        return (limit != null && limit.isBefore(ends) ? limit : ends).nanoTime();
    }

    private @Nullable Expiry limit() {
        Hold hold = current;
        return hold == null ? null : hold.limit();
    }

    /** A fixed lease, too, where the store's validity is shorter: that of a session. */
    private boolean needsRenewal(@Nullable Expiry limit) {
        return renewed || (limit != null && term.end().isBefore(limit));
    }

    boolean isDue(long now) {
        return term.isDue(now) && needsRenewal(limit());
    }

    long renewalTimeout() {
        return term.renewalTimeout();
    }

    /** A renewal for the keeper to send, or null when one is under way. */
    @Nullable
    LeaseRenewal renewal(Outages outages) {
        return term.beginRenewal() ? new LeaseRenewal(this, grant, request.lease(), outages) : null;
    }

    void renewed(Validity validity, long tookNanos) {
        if (!hasExpired()) {
            term.renewed(validity);
            event(tookNanos, LockListener::renewed);
        }
    }

    void renewalUnknown() {
        term.renewalUnknown();
        becomeSuspect();
    }

    /** The connection is in doubt: a renewal at once finds out. */
    void suspect() {
        term.renewNow();
        becomeSuspect();
        engine.keeper().lookBy(engine.clock().nanoTime());
    }

    private void becomeSuspect() {
        if (end.get() == null && term.becomeSuspect()) {
            event(Math.max(0, remainingNanos(engine.clock().now())), LockListener::suspect);
            queue.wakeHead();
        }
    }

    // ---- events --------------------------------------------------------------------------------------------------

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

    LossReason lossReason() {
        return end.get() instanceof LossReason reason ? reason : LossReason.EXPIRED;
    }
}
