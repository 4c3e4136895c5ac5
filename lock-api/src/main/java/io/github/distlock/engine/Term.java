package io.github.distlock.engine;

import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

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
 */
final class Term {
    private static final long LONGEST_PAUSE = Duration.ofSeconds(1).toNanos();

    private final Settings settings;
    private final LockClock clock;
    private final AtomicBoolean renewing = new AtomicBoolean();
    private volatile Expiry end;
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

    /** Plans the next renewal no later than half of the usable time, whatever the allowance for clocks leaves. */
    private void planRenewal(Validity validity) {
        long half = settings.usable(validity.length().toNanos()) / 2;
        long after = Math.min(validity.renewAfter().toNanos(), half);
        long from = validity.from().nanoTime();
        mayComeEarlier = after / 8;
        provedAt = from;
        renewAt = from + after;
        long doubted = doubtedAt;
        if (doubted - from > 0) {
            renewAt = doubted;
        }
    }

    Expiry end() {
        return end;
    }

    long remainingNanos(Moment now) {
        return end.remainingNanos(now);
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
        long endsAt = end.nanoTime();
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

    /** Takes the end of the newest validity, also if that is earlier: a session may have got a shorter timeout. */
    void renewed(Validity validity) {
        end = settings.expiry(validity);
        length = validity.length().toNanos();
        planRenewal(validity);
        suspect = false;
        renewing.set(false);
    }

    /**
     * Moves the end to that of a validity, if it is later. Of two threads that do so at the same time, the one with the
     * earlier end may win, which is safe.
     */
    void extend(Validity validity) {
        Expiry proved = settings.expiry(validity);
        if (end.isBefore(proved)) {
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
