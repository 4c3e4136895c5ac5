package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** An event of a lock, for a {@link LockListener}. Immutable. */
public final class LockEvent {
    private final String lockName;
    private final long fencingToken;
    private final Duration duration;
    private final boolean asynchronous;

    /**
     * Makes an event. The engine does; tests of listeners may, too.
     *
     * @param lockName the lock's name
     * @param fencingToken the token of the hold, or 0
     * @param duration what the method of the listener says
     */
    public LockEvent(String lockName, long fencingToken, Duration duration) {
        this(lockName, fencingToken, duration, false);
    }

    /**
     * Makes an event of an acquire.
     *
     * @param lockName the lock's name
     * @param fencingToken the token of the hold, or 0
     * @param duration what the method of the listener says
     * @param asynchronous whether the acquire is asynchronous
     */
    public LockEvent(String lockName, long fencingToken, Duration duration, boolean asynchronous) {
        this.lockName = requireNonNull(lockName, "lockName");
        this.fencingToken = fencingToken;
        this.duration = requireNonNull(duration, "duration");
        this.asynchronous = asynchronous;
    }

    /**
     * Returns the lock's name.
     *
     * @return the name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Returns the fencing token of the hold.
     *
     * @return the token, or 0 if there is no hold yet
     */
    public long fencingToken() {
        return fencingToken;
    }

    /**
     * Returns a duration. Each method of {@link LockListener} says which.
     *
     * @return on the monotonic clock
     */
    public Duration duration() {
        return duration;
    }

    /**
     * Returns whether this is the beginning, the wait or the end of an asynchronous acquire, for which no
     * {@link LockHook} runs.
     *
     * @return false for all other events
     */
    public boolean isAsynchronous() {
        return asynchronous;
    }

    @Override
    public String toString() {
        return "lock \"" + lockName + "\", token " + fencingToken + ", " + duration;
    }
}
