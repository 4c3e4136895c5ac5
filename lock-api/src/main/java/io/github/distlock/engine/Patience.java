package io.github.distlock.engine;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;

/** How long one acquire is ready to wait, and for what. All times by the nano clock. */
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

    /** Whether the acquire may ask the store now. Even the shortest patience allows one request. */
    boolean mayAsk(long now) {
        return !asked || !isOver(now);
    }

    void noteAsked() {
        asked = true;
    }

    /** The store has answered, or the request has failed. A single try has no patience for more. */
    void noteAnswer() {
        asked = true;
        answered = true;
    }

    void forgetAnswer() {
        answered = false;
    }

    /** When the acquire began. */
    long since() {
        return since;
    }

    boolean isOver(long now) {
        return deadline - now <= 0 || (isSingleTry() && answered);
    }

    boolean isLimited() {
        return kind != Kind.UNTIL_HELD;
    }

    /** When it must have ended, whatever happens. */
    long latest() {
        return deadline + 2 * Settings.LAST_REQUEST_GRACE;
    }

    /** Over, and a request that was under way at that time has had its chance. */
    boolean isOverWithGrace(long now) {
        return deadline + grace() - now <= 0 || (isSingleTry() && answered);
    }

    private long grace() {
        return kind == Kind.LIMITED ? Settings.LAST_REQUEST_GRACE : 0;
    }

    /** The earlier of a time and the next end of patience. */
    long next(long now, long nanoTime) {
        if (isOver(now)) {
            return deadline + grace();
        }
        return nanoTime - deadline < 0 ? nanoTime : deadline;
    }

    /** Returns when a request that is sent now must have been answered. */
    Deadline deadline(long now, LockClock clock) {
        return Deadline.after(Duration.ofNanos(Math.min(requestTimeout, Math.max(0, deadline - now) + grace())), clock);
    }

    /** Whether an acquire without a limit has heard nothing for too long, the last answer having come at some time. */
    boolean isOutage(long now, long answeredAt) {
        long heard = answeredAt - since > 0 ? answeredAt : since;
        return kind == Kind.UNTIL_HELD && now - heard >= outageTimeout;
    }
}
