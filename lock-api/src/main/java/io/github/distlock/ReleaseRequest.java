package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/** A request to release a lock, as its holder gets it: {@link LockHandle#onReleaseRequested}. Immutable. */
public final class ReleaseRequest {
    private final String lockName;
    private final LockOwner requester;
    private final Instant arrived;

    /**
     * Makes a request. The engine does; tests of code that handles requests may, too.
     *
     * @param lockName the lock's name
     * @param requester who wants the lock
     * @param arrived when the store got the request
     */
    public ReleaseRequest(String lockName, LockOwner requester, Instant arrived) {
        this.lockName = requireNonNull(lockName, "lockName");
        this.requester = requireNonNull(requester, "requester");
        this.arrived = requireNonNull(arrived, "arrived");
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
     * Returns who asks for the release.
     *
     * @return the thread that has called {@link LockInspector#requestRelease}, for people
     */
    public LockOwner requester() {
        return requester;
    }

    /**
     * Returns when the store got the request.
     *
     * @return by this machine's wall clock, and later than that by a round trip at most
     */
    public Instant arrived() {
        return arrived;
    }

    @Override
    public String toString() {
        return "release of lock \"" + lockName + "\" requested by " + requester + ", at " + arrived;
    }
}
