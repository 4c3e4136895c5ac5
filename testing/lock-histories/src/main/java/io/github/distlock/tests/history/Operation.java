package io.github.distlock.tests.history;

/** One acquire and what became of it, as its process saw it. Moments that never came are {@link #NEVER}. */
final class Operation {
    static final long NEVER = Long.MAX_VALUE;

    final ProcessHistory process;
    final long number;
    final String lock;
    final String how;
    final long invokedAt;
    final long limit;

    long queuedAt = NEVER;
    long grantedAt = NEVER;
    long refusedAt = NEVER;
    String refusal = "";
    long token;
    /** The last moment at which the hold certainly was held. */
    long heldAt = NEVER;
    /** How long the hold claimed to be held, at the utmost. */
    long claimedUntil;

    long releaseInvokedAt = NEVER;
    long releasedAt = NEVER;
    String outcome = "";
    long lostAt = NEVER;
    String loss = "";

    Operation(ProcessHistory process, Event acquire) {
        this.process = process;
        this.number = acquire.operation();
        this.lock = acquire.lock();
        this.how = acquire.note();
        this.invokedAt = acquire.at();
        this.limit = acquire.until();
    }

    boolean isGranted() {
        return grantedAt != NEVER;
    }

    boolean wasSeenHeld() {
        return heldAt != NEVER;
    }

    /** When the acquire came back. */
    long returnedAt() {
        return Math.min(grantedAt, refusedAt);
    }

    /** When its process held the lock no longer, as it saw it. */
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
            case RELEASED -> {
                releasedAt = event.at();
                outcome = event.note();
            }
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
                + (lostAt == NEVER ? "" : ", told " + loss + " at " + lostAt)
                + (refusedAt == NEVER ? "" : ", came back at " + refusedAt + ": " + refusal) + ")";
    }
}
