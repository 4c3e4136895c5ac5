package io.github.distlock.engine;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One grant of the store, from its arrival until it is lost or given back. Waiters of this client may hand it to each
 * other. Each {@link Hold} of it is one waiter's part.
 *
 * <h2>Expiry</h2>
 *
 * A thread that looks ({@link #hasExpired}) after the {@link Term} is over ends the lease. So {@code isHeld()} does not
 * depend on any other thread. The thread first asks the grant what late answers have proved. An ended lease stays
 * ended, even if the reply to a renewal arrives later.
 *
 * <h2>End</h2>
 *
 * {@link #end} is set once, by a compare-and-set from null: to a loss, or by the holder that found no waiter for a
 * handoff. Only the thread that set it talks to the store about it, and only after the keeper has stopped renewing the
 * lease.
 *
 * <h2>Handoff and join against loss</h2>
 *
 * {@link #offer} and {@link #join} add the new hold to {@link #holds} and then read {@link #end}. {@link #lose} sets
 * {@code end} and then reads {@code holds}. Both are volatile, so at least one of the two sees the other, and no hold
 * of an ended lease stays held.
 *
 * <h2>Join against the last release</h2>
 *
 * {@link Holds} counts the users of a lease. A joiner becomes a user by a compare-and-set from a positive number, and
 * the user that sets the number to zero is the last one. So exactly one of the two wins: the lease gets another hold
 * and stays, or it is given back and nobody joins it. The limit of a hold ends only that hold. If it was the last user,
 * the lease ends, too.
 *
 * <p>Waiting readers of a client join within the time of local handoffs after the grant, with the token of the first
 * hold. They do not join a lease that is in doubt or has little time left, nor one that another
 * client wants or a writer of this client waits for.
 */
final class Lease implements StoreHints.Target, Dormancy.Kept {
    private static final long ENOUGH_TO_RENEW = Duration.ofSeconds(1).toNanos();

    private final Queue queue;
    /** Its request has the longest lease that the store was asked for. */
    private volatile WonGrant won;

    private final Grant grant;
    private final Shared shared;
    private final boolean renewed;
    private final boolean servesOthers;
    /** The length of the lease, unless a holder has asked for a longer one. */
    final Duration usual;
    /** How much validity a hold must have when an acquire returns it; zero if that does not matter. */
    final long minimumValidity;
    /**
     * Time for more than one renewal. After a handoff by the server, less of the lease is left than after a request.
     */
    private final long enoughToHandOff;

    private final long grantedAt;
    final Term term;
    private final AtomicReference<@Nullable End> end = new AtomicReference<>();
    private final AtomicBoolean alarmed = new AtomicBoolean();
    final Holds holds = new Holds();
    /** The token of the newest hold, or 0 before the first one. */
    private volatile long newestToken;

    final StoreHints hints = new StoreHints(this);
    final Dormancy dormancy;
    private final HandoffTokens tokens;

    /** What a lease needs of the queue whose waiters use it. */
    interface Queue extends Dormancy.Line {
        LocalRules rules();

        /** Returns whether waiters must not join leases of this queue, because a writer of this client waits. */
        boolean isJoinStopped();

        /**
         * Hands a lease without a hold to the first waiter that accepts it. Returns false if it stays without a hold.
         */
        boolean handOff(Lease lease, Moment now);

        /** The lease has ended, and the store knows it if there was anything to tell. */
        void ended(Lease lease);
    }

    /** What all leases of a client share. */
    record Shared(
            Settings settings,
            LockClock clock,
            Timer timer,
            LeaseKeeper keeper,
            Releases releases,
            Handle.Renewals requested,
            Callbacks callbacks,
            ClientLog log,
            ReferenceQueue<Handle> droppedHandles,
            AtomicLong greatestBase) {}

    /**
     * How a lease ended.
     *
     * @param loss why it was lost, or null if it was given back
     */
    private record End(@Nullable LossReason loss) {
        private static final End GIVEN_BACK = new End(null);
    }

    /** Makes a lease whose first hold has this token. Throws if the backend has broken its contract. */
    Lease(Queue queue, WonGrant won, Shared shared, long firstToken) {
        Grant grant = won.grant();
        shared.greatestBase.accumulateAndGet(grant.fencingBase(), Math::max);
        this.queue = queue;
        this.won = won;
        this.grant = grant;
        this.shared = shared;
        LockOptions options = queue.options();
        this.usual = options.lease();
        this.minimumValidity = options.minimumValidity().map(Checks::waitNanos).orElse(0L);
        this.renewed = options.isLeaseRenewed();
        this.servesOthers =
                renewed && !options.isFair() && options.minimumHold().isEmpty();
        this.enoughToHandOff = Math.max(minimumValidity, Math.min(usual.toNanos() / 2, ENOUGH_TO_RENEW));
        this.grantedAt = shared.clock.nanoTime();
        this.term = new Term(grant.validity(), shared.settings, shared.clock);
        this.dormancy = new Dormancy(this, queue, hints, won, shared.releases, shared.clock);
        this.tokens = new HandoffTokens(firstToken, dormancy.maxHandoffs(shared.settings), queue, this::declined);
    }

    String lockName() {
        return won.request().name();
    }

    LockMode mode() {
        return won.request().mode();
    }

    WonGrant won() {
        return won;
    }

    // Holds

    /**
     * Returns a hold for the next holder, or null if the lease has ended. Only the thread that controls it calls this.
     */
    @Nullable
    Handle offer() {
        return newHold(tokens.next());
    }

    /** Returns one more hold, or null if the lease must not be joined. */
    @Nullable
    Handle join() {
        long token = newestToken;
        boolean joins = queue.rules().joins()
                && token != 0
                && !hints.isWanted()
                && !queue.isJoinStopped()
                && mayServeAnother(shared.clock.now())
                && holds.enter();
        return joins ? newHold(token) : null;
    }

    /** Returns the end of a fixed lease that nobody has extended, or null. */
    @Nullable
    Expiry fixedEnd() {
        return renewed ? null : shared.settings.expiry(grant.validity().from(), usual);
    }

    private @Nullable Handle newHold(long token) {
        Handle handle = new Handle(this, token, fixedEnd(), queue.options(), shared);
        boolean first = newestToken == 0;
        newestToken = token;
        holds.add(handle.hold());
        if (first) {
            shared.keeper.watch(this);
        }
        if (end.get() != null) {
            shared.keeper.forget(this);
            handle.hold().lose(LossReason.GONE);
            return null;
        }
        return handle;
    }

    /** A hold has ended, and this lease needs no longer look after it. */
    void forget(Hold hold) {
        holds.remove(hold);
    }

    /** A holder releases: the lease goes to a local waiter, stays with other users or its client, or goes back. */
    Release givenUpBy(Hold hold, Moment now) {
        boolean passedOn = queue.handOff(this, now) || dormancy.begin(now);
        if (passedOn && tokens.isAlmostUsedUp()) {
            tokens.ask(() -> shared.releases.nextBase(won, shared.greatestBase));
        }
        return passedOn || tokens.leaveToAsker() || !holds.leave() ? Release.RELEASED : giveBack(hold);
    }

    /**
     * The acquire that was offered a hold does not want it, or the lease was left without one: it goes to the next
     * waiter, or stays with its other users, or goes back to the store.
     */
    void declined() {
        if (!queue.handOff(this, shared.clock.now()) && holds.leave()) {
            giveBackInBackground();
        }
    }

    /**
     * Returns whether the first local waiter should not ask the store: because it can expect a handoff, until an alarm
     * that is set here, or because the release of this lease is under way.
     */
    boolean isWorthWaitingFor() {
        if (!queue.rules().meansBusy()) {
            return false;
        }
        End ended = end.get();
        if (ended != null && ended.loss == null) {
            return true;
        }
        long handoffUntil = grantedAt + dormancy.handoffTime(shared.settings);
        if (!servesOthers() || tokens.isOver() || handoffUntil - shared.clock.nanoTime() <= 0) {
            return false;
        }
        if (alarmed.compareAndSet(false, true)) {
            shared.timer.at(handoffUntil, queue::wakeHead);
        }
        return true;
    }

    @Override
    public boolean mayBeHandedOff(Moment now) {
        return queue.rules().handsOff() && mayServeAnother(now);
    }

    private boolean mayServeAnother(Moment now) {
        return servesOthers()
                && !tokens.isUsedUp()
                && now.nanoTime() - grantedAt < dormancy.handoffTime(shared.settings)
                && !grant.hasEnded()
                && remainingNanos(now) >= enoughToHandOff;
    }

    private boolean servesOthers() {
        return servesOthers && end.get() == null && term.mayServeOthers() && !dormancy.mustGoBack();
    }

    // The end

    /** Returns whether the lease has ended. Ends what is past its time. Sends nothing. */
    boolean hasExpired() {
        return hasExpired(shared.clock.now());
    }

    boolean hasExpired(Moment now) {
        if (end.get() != null) {
            return true;
        }
        LossReason last = holds.loseThoseOverLimit(now);
        if (last != null) {
            lose(last);
        }
        if (end.get() == null && grant.hasEnded()) {
            lose(LossReason.GONE);
        }
        if (end.get() == null && term.isPast(now)) {
            term.extend(grant.latestValidity());
            if (term.isPast(now)) {
                lose(LossReason.EXPIRED);
            }
        }
        return end.get() != null;
    }

    /**
     * Ends the lease as lost, unless it has ended. Cleans up the store in the background if anything can be left there.
     */
    void lose(LossReason reason) {
        if (loseQuietly(reason)) {
            if (reason == LossReason.GONE) {
                won.contender().forget();
            } else {
                shared.releases.releaseLost(won, holds.wereHeld());
            }
        }
    }

    /**
     * Does the same as {@link #lose}, and leaves it to the caller to clean up. Returns false if the lease had ended.
     */
    boolean loseQuietly(LossReason reason) {
        if (!end.compareAndSet(null, new End(reason))) {
            return false;
        }
        shared.keeper.forget(this);
        try {
            holds.loseAll(reason);
        } finally {
            queue.ended(this);
        }
        return true;
    }

    private Release giveBack(Hold hold) {
        Release outcome = shared.releases.release(won, this::endAsGivenBack, hold::keptFor, hold::releaseConfirmed);
        if (outcome == null) {
            hold.wasLost(lossReason());
            return Release.LOST;
        }
        if (outcome == Release.LOST) {
            hold.wasLost(LossReason.GONE);
        }
        queue.ended(this);
        return outcome;
    }

    /** Nobody wants the lease: gives it back without waiting. */
    void giveBackInBackground() {
        if (endAsGivenBack()) {
            shared.releases.releaseInBackground(won);
            queue.ended(this);
        }
    }

    /**
     * Ends the lease without telling the store. The caller does, and then calls {@link #wasGivenBack}. Returns false if
     * the lease had ended.
     */
    @Override
    public boolean endAsGivenBack() {
        boolean ended = end.compareAndSet(null, End.GIVEN_BACK);
        if (ended) {
            shared.keeper.forget(this);
        }
        return ended;
    }

    @Override
    public void wasGivenBack() {
        queue.ended(this);
    }

    LossReason lossReason() {
        End ended = end.get();
        return ended != null && ended.loss != null ? ended.loss : LossReason.EXPIRED;
    }

    // Renewal

    long remainingNanos(Moment now) {
        return term.remainingNanos(now);
    }

    /** Warns holders. Returns when the keeper must look again: for a renewal, a warning, or the end. */
    long nextLook() {
        return needsRenewal(holds.limit()) ? lookAtHolds(term.nextLook()) : endsAt();
    }

    /** Does the same if the keeper cannot send a renewal. */
    long endsAt() {
        return lookAtHolds(term.end().nanoTime());
    }

    private long lookAtHolds(long nanoTime) {
        Expiry limit = holds.limit();
        return holds.warn(limit != null && limit.nanoTime() - nanoTime < 0 ? limit.nanoTime() : nanoTime);
    }

    /** A fixed lease needs renewals, too, if the store's validity is shorter, such as that of a session. */
    private boolean needsRenewal(@Nullable Expiry limit) {
        return renewed || (limit != null && term.end().isBefore(limit));
    }

    boolean isDue(long now) {
        return term.isDue(now) && needsRenewal(holds.limit());
    }

    /**
     * Returns a renewal for the keeper to send, or null if one is under way. It repeats what the store has promised, in
     * case a server without the promise has taken the place of the one that gave it.
     */
    @Nullable
    LeaseRenewal renewal(Outages outages) {
        Duration length = term.lengthOfRenewal(usual, won.request().lease());
        return term.beginRenewal() ? new LeaseRenewal(this, grant, length, outages, shared.clock) : null;
    }

    /**
     * A holder is about to ask for a longer lease. As long as the store may keep that, no other holder gets this lease.
     * Cleanup then continues for as long.
     */
    void noteAsked(Duration length, Expiry until) {
        term.noteAsked(until, usual);
        won = won.lasting(length);
        queue.wakeHead();
    }

    void renewed(Validity validity, long tookNanos) {
        if (!hasExpired()) {
            term.renewed(validity);
            event(tookNanos, LockListener::renewed);
        }
    }

    void renewalFailed(Throwable cause, long tookNanos) {
        term.renewalUnknown();
        event(tookNanos, (listener, event) -> listener.renewalFailed(event, cause));
        becomeSuspect();
    }

    /** Has the lease renewed at once, unless what proves it was sent after a nano time. */
    void renewWhatIsProvedBefore(long nanoTime) {
        term.renewWhatIsProvedBefore(nanoTime);
        shared.keeper.lookBy(nextLook());
    }

    private void becomeSuspect() {
        if (end.get() == null && term.becomeSuspect()) {
            event(Math.max(0, remainingNanos(shared.clock.now())), LockListener::suspect);
            queue.wakeHead();
        }
    }

    // Events

    /** Notifies the listener of an event, with the time since the grant. */
    void event(BiConsumer<LockListener, LockEvent> what) {
        shared.callbacks.eventSince(grantedAt, lockName(), newestToken, what);
    }

    // Signals

    @Override
    public void wanted() {
        event(LockListener::wanted);
        dormancy.wanted();
    }

    @Override
    public void suspect() {
        becomeSuspect();
        renewWhatIsProvedBefore(shared.clock.nanoTime());
    }

    @Override
    public void gone() {
        lose(LossReason.GONE);
    }

    void event(long nanos, BiConsumer<LockListener, LockEvent> what) {
        shared.callbacks.event(lockName(), newestToken, nanos, what);
    }
}
