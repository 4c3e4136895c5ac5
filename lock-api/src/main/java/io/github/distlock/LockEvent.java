package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** Something that happened to a lock. Immutable. */
public final class LockEvent {
    private final String lockName;
    private final long fencingToken;
    private final Duration duration;

    /**
     * Makes an event. The engine does; tests of listeners may, too.
     *
     * @param lockName the lock's name
     * @param fencingToken the token of the hold, or 0
     * @param duration what the method of the listener says
     */
    public LockEvent(String lockName, long fencingToken, Duration duration) {
        this.lockName = requireNonNull(lockName, "lockName");
        this.fencingToken = fencingToken;
        this.duration = requireNonNull(duration, "duration");
    }

    /**
     * Which lock.
     *
     * @return its name
     */
    public String lockName() {
        return lockName;
    }

    /**
     * Which hold.
     *
     * @return its fencing token, or 0 where there is no hold yet
     */
    public long fencingToken() {
        return fencingToken;
    }

    /**
     * How long: each {@link LockListener} method says what.
     *
     * @return on the monotonic clock
     */
    public Duration duration() {
        return duration;
    }

    @Override
    public String toString() {
        return "lock \"" + lockName + "\", token " + fencingToken + ", " + duration;
    }
}
