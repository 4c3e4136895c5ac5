package io.github.distlock.engine;

import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * How long a lease is valid, whether that is in doubt, and when to renew it.
 *
 * <p>The validity counts from before the last request that proves the grant was sent, so it ends before the store's own
 * count does. Only what the store has answered moves the end. An answer may come after its renewal was given up. Each
 * answer to a renewal, and a missing answer, sets the time of the next one. One renewal is
 * under way at a time.
 *
 * <p><b>Proofs in doubt.</b> A server that has been replaced may have answered what was sent before. So
 * {@link #renewWhatIsProvedBefore} writes the time of the doubt, and then that of the next renewal. An answer writes
 * the time of the next renewal, and then reads that of the doubt. The one that writes the time of the next renewal last
 * has seen the other.
 *
 * <p><b>Requested renewals.</b> A holder may ask for a longer lease ({@link RequestedRenewals}), and the keeper's
 * renewals go on meanwhile. Their answers come in any order. So what the store has confirmed to the holder is kept
 * apart, as a promise. The lease is valid as long as the promise or the newest validity says so. Each of the two is a
 * proof, because no renewal shortens what the store keeps. From before such a request is sent, the store may keep the
 * lease for longer than usual, whether it answers or not. So the time that was asked for is kept, too.
 */
final class Term {
    private static final long LONGEST_PAUSE = Duration.ofSeconds(1).toNanos();

    private final Settings settings;
    private final LockClock clock;
    private final AtomicBoolean renewing = new AtomicBoolean();
    /** What the newest validity proves. */
    private volatile Expiry end;

    /** Until when the store keeps the lease, as it has confirmed to a holder. One thread at a time writes it. */
    private volatile @Nullable Expiry promised;

    /** Until when the store may keep the lease, because a holder has asked for that. One thread at a time writes it. */
    private volatile @Nullable Expiry asked;

    /** The usual lease, once a holder has asked for a longer one. */
    private volatile long usual = Long.MAX_VALUE;

    private volatile long length;
    private volatile long renewAt;
    private volatile long provedAt;
    private volatile long doubtedAt;
    private volatile long mayComeEarlier;
    private volatile boolean suspect;

    Term(Validity validity, Settings settings, LockClock clock) {
        this.settings = settings;
        this.clock = clock;
        this.length = validity.length().toNanos();
        this.end = settings.expiry(validity);
        this.doubtedAt = validity.from().nanoTime();
        planRenewal(validity);
    }

    /**
     * Plans the next renewal no later than half of the usable time, whatever the allowance for clocks leaves. A longer
     * lease is renewed as often as usual, so that a loss is noticed as soon as usual.
     */
    private void planRenewal(Validity validity) {
        long half = settings.usable(validity.length().toNanos()) / 2;
        long after = Math.min(Math.min(validity.renewAfter().toNanos(), half), usual / 3);
        long from = validity.from().nanoTime();
        mayComeEarlier = after / 8;
        provedAt = from;
        renewAt = from + after;
        long doubted = doubtedAt;
        if (doubted - from > 0) {
            renewAt = doubted;
        }
    }

    /** Returns the end on the monotonic clock. */
    Expiry end() {
        return later(promised, end);
    }

    private static Expiry later(@Nullable Expiry a, Expiry b) {
        return a == null || a.isBefore(b) ? b : a;
    }

    /** If the wall clock has jumped since the promise, the newest validity may say more. */
    long remainingNanos(Moment now) {
        return promised == null ? end.remainingNanos(now) : Math.max(end.remainingNanos(now), promisedNanos(now));
    }

    boolean isPast(Moment now) {
        return remainingNanos(now) <= 0;
    }

    /** A holder is about to ask the store to keep the lease until then, for longer than usual. */
    void noteAsked(Expiry until, Duration usualLease) {
        asked = later(asked, until);
        usual = usualLease.toNanos();
    }

    /**
     * Returns whether another holder may get the lease: it is not in doubt, and the store keeps it no longer than after
     * a usual renewal.
     */
    boolean mayServeOthers() {
        Expiry until = asked;
        return !suspect && (until == null || until.nanoTime() - clock.nanoTime() <= settings.usable(usual));
    }

    /** The store has confirmed to keep the lease until then. */
    void promise(Expiry until) {
        Moment now = clock.now();
        // After a jump of the wall clock, an earlier promise may have less left although its monotonic end is later.
        promised = promisedNanos(now) > until.remainingNanos(now) ? promised : until;
    }

    private long promisedNanos(Moment now) {
        Expiry promise = promised;
        return promise == null ? 0 : promise.remainingNanos(now);
    }

    /** Returns the lease to ask for: the usual one, or what is left of a promise if that is more. */
    Duration lengthOfRenewal(Duration usualLease, Duration longest) {
        long promise = settings.leaseFor(promisedNanos(clock.now()));
        return promise <= usualLease.toNanos() ? usualLease : Duration.ofNanos(Math.min(promise, longest.toNanos()));
    }

    boolean isSuspect() {
        return suspect;
    }

    /** Returns false if the lease was suspect before. */
    boolean becomeSuspect() {
        boolean before = suspect;
        suspect = true;
        return !before;
    }

    /**
     * Returns whether a renewal is due now, or so soon that it may travel with others. After a failure, only the first.
     */
    boolean isDue(long now) {
        long ahead = suspect ? 0 : mayComeEarlier;
        return !renewing.get() && renewAt - now <= ahead;
    }

    /** Returns the time of the next renewal, or the end if a renewal is under way. */
    long nextLook() {
        long endsAt = end().nanoTime();
        return !renewing.get() && renewAt - endsAt < 0 ? renewAt : endsAt;
    }

    /** Has the lease renewed at once, unless what proves it was sent after a nano time. */
    void renewWhatIsProvedBefore(long nanoTime) {
        if (nanoTime - provedAt > 0) {
            doubtedAt = nanoTime;
            renewAt = nanoTime;
        }
    }

    boolean beginRenewal() {
        return renewing.compareAndSet(false, true);
    }

    boolean isRenewing() {
        return renewing.get();
    }

    void renewed(Validity validity) {
        proved(validity);
        renewing.set(false);
    }

    /** Takes the end of the newest validity, also if that is earlier: a session may have got a shorter timeout. */
    void proved(Validity validity) {
        end = settings.expiry(validity);
        length = validity.length().toNanos();
        planRenewal(validity);
        suspect = false;
    }

    /**
     * Moves the end to that of a validity, if more is left until it. Of two threads that do so at the same time, the
     * one with the earlier end may win, which is safe.
     */
    void extend(Validity validity) {
        Expiry proved = settings.expiry(validity);
        Moment now = clock.now();
        if (end.remainingNanos(now) < proved.remainingNanos(now)) {
            end = proved;
        }
    }

    void renewalUnknown() {
        renewAt = clock.nanoTime() + Math.min(LONGEST_PAUSE, length / 20);
        renewing.set(false);
    }

    /** Returns how long a renewal may go unanswered, so that there is time for more of them. */
    long renewalTimeout() {
        return length / 6;
    }
}
