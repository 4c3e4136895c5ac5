package io.github.distlock.engine;

/**
 * When the store last answered a {@link LocalQueue}. A waiter whose time is over can linger for the next answer, if it
 * does not know yet whether the lock is busy. The queue's mutex guards changes.
 */
final class LastAnswer {
    private boolean answered;
    private long answeredAt;
    private volatile boolean lingering;

    /** Returns whether a waiter lingered for this answer. */
    boolean note(long now) {
        answered = true;
        answeredAt = now;
        boolean lingered = lingering;
        lingering = false;
        return lingered;
    }

    boolean cameSince(long nanoTime) {
        return answered && answeredAt - nanoTime >= 0;
    }

    /** May be called without the mutex. */
    void linger() {
        lingering = true;
    }
}
