package io.github.distlock.engine;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;

/** How long one acquire waits, and for what. All times are by the nano clock. */
final class Patience {
    private enum Kind {
        UNTIL_HELD,
        LIMITED,
        ONE_TRY
    }

    private final Kind kind;
    private final long since;
    private final long deadline;
    private final long requestTimeout;
    private final long outageTimeout;
    private volatile boolean asked;
    private volatile boolean answered;

    private Patience(Kind kind, long wait, Settings settings, LockClock clock) {
        this.kind = kind;
        this.since = clock.nanoTime();
        this.deadline = since + wait;
        this.requestTimeout = settings.requestTimeout();
        this.outageTimeout = settings.outageTimeout();
    }

    static Patience untilHeld(Settings settings, LockClock clock) {
        return new Patience(Kind.UNTIL_HELD, Checks.FOREVER, settings, clock);
    }

    static Patience oneTry(Settings settings, LockClock clock) {
        return new Patience(Kind.ONE_TRY, settings.requestTimeout(), settings, clock);
    }

    static Patience limited(Duration maxWait, Settings settings, LockClock clock) {
        long wait = Checks.waitNanos(maxWait);
        return wait == 0 ? oneTry(settings, clock) : new Patience(Kind.LIMITED, wait, settings, clock);
    }

    boolean isSingleTry() {
        return kind == Kind.ONE_TRY;
    }

    /** Returns whether the acquire may ask the store now. Even the shortest patience allows one request. */
    boolean mayAsk(long now) {
        return !asked || !isOver(now);
    }

    void noteAsked() {
        asked = true;
    }

    /** The store has answered, or the request has failed. A single try asks no more. */
    void noteAnswer() {
        asked = true;
        answered = true;
    }

    void forgetAnswer() {
        answered = false;
    }

    /** Returns when the acquire began. */
    long since() {
        return since;
    }

    boolean isOver(long now) {
        return deadline - now <= 0 || (isSingleTry() && answered);
    }

    boolean isLimited() {
        return kind != Kind.UNTIL_HELD;
    }

    /** Returns when the acquire must have ended in any case. */
    long latest() {
        return deadline + 2 * Settings.LAST_REQUEST_GRACE;
    }

    /** Returns whether the time is over, and also the extra time of a request that was under way. */
    boolean isOverWithGrace(long now) {
        return deadline + grace() - now <= 0 || (isSingleTry() && answered);
    }

    private long grace() {
        return kind == Kind.LIMITED ? Settings.LAST_REQUEST_GRACE : 0;
    }

    /** Returns the earlier one of a time and the next end of patience. */
    long next(long now, long nanoTime) {
        if (isOver(now)) {
            return deadline + grace();
        }
        return nanoTime - deadline < 0 ? nanoTime : deadline;
    }

    /** Returns when a request that is sent now must have been answered. */
    Deadline deadline(LockClock clock) {
        long now = clock.nanoTime();
        return Deadline.after(Duration.ofNanos(Math.min(requestTimeout, Math.max(0, deadline - now) + grace())), clock);
    }

    /**
     * Returns whether an acquire without a limit has asked for too long without an answer. The time in which nobody has
     * asked does not count.
     */
    boolean isOutage(long now, long silentSince) {
        long asked = silentSince - since > 0 ? silentSince : since;
        return kind == Kind.UNTIL_HELD && now - asked >= outageTimeout;
    }
}
