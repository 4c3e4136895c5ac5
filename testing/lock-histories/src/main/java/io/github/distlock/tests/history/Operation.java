package io.github.distlock.tests.history;

import io.github.distlock.spi.LockMode;

/** An acquire and its hold, as their process saw them. The time of an event that did not happen is {@link #NEVER}. */
final class Operation {
    static final long NEVER = Long.MAX_VALUE;
    /** The lower bits of a token count the holds of one grant. */
    private static final int HANDOFFS = 8;

    final ProcessHistory process;
    final long number;
    final String lock;
    /** How it was called, and the mode. */
    final String how;

    final LockMode mode;
    /** The token of the write hold that a downgrade turned into this hold, or 0. */
    final long tokenBefore;

    final long invokedAt;
    final long limit;

    long queuedAt = NEVER;
    long grantedAt = NEVER;
    long refusedAt = NEVER;
    String refusal = "";
    long token;
    /** The last time at which the process certainly held the lock. */
    long heldAt = NEVER;
    /** The latest end of the validity that the hold claimed. */
    long claimedUntil;

    long releaseInvokedAt = NEVER;
    String outcome = "";
    long lostAt = NEVER;
    String loss = "";

    Operation(ProcessHistory process, Event acquire) {
        this.process = process;
        this.number = acquire.operation();
        this.lock = acquire.lock();
        this.how = acquire.note();
        this.mode = Mode.parse(acquire.note());
        this.tokenBefore = acquire.token();
        this.invokedAt = acquire.at();
        this.limit = acquire.until();
    }

    boolean isGranted() {
        return grantedAt != NEVER;
    }

    boolean wasSeenHeld() {
        return heldAt != NEVER;
    }

    /** Returns whether two holds are of one grant, by local handoffs or a reacquire. */
    boolean sharesGrant(Operation other) {
        return other.token >> HANDOFFS == token >> HANDOFFS;
    }

    /** Returns when the acquire returned. */
    long returnedAt() {
        return Math.min(grantedAt, refusedAt);
    }

    /** Returns until when the holder believed in its hold: it saw or claimed it, and had not begun to release it. */
    long believedUntil() {
        return Math.max(heldAt, Math.min(claimedUntil, releaseInvokedAt));
    }

    /** Returns when the hold ended, as its process saw it. */
    long endedAt() {
        return Math.min(releaseInvokedAt, lostAt);
    }

    void add(Event event) {
        switch (event.kind()) {
            case QUEUED -> queuedAt = event.at();
            case GRANTED -> {
                grantedAt = event.at();
                token = event.token();
            }
            case REFUSED -> {
                refusedAt = event.at();
                refusal = event.note();
            }
            case HELD -> {
                heldAt = event.at();
                claimedUntil = Math.max(claimedUntil, event.until());
            }
            case RELEASE -> releaseInvokedAt = event.at();
            case RELEASED -> outcome = event.note();
            case LOST -> {
                lostAt = event.at();
                loss = event.note();
            }
            default -> throw new IllegalArgumentException(event + " is not about one acquire");
        }
    }

    @Override
    public String toString() {
        return "acquire " + number + " of " + process.name + " (\"" + lock + "\", " + how + ", called at " + invokedAt
                + (isGranted() ? ", granted at " + grantedAt + " with token " + token : "")
                + (wasSeenHeld() ? ", seen held at " + heldAt + ", claimed until " + claimedUntil : "")
                + (releaseInvokedAt == NEVER ? "" : ", release called at " + releaseInvokedAt + ": " + outcome)
                + (lostAt == NEVER ? "" : ", notified of " + loss + " at " + lostAt)
                + (refusedAt == NEVER ? "" : ", returned at " + refusedAt + ": " + refusal) + ")";
    }
}
