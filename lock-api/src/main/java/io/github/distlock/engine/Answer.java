package io.github.distlock.engine;

import io.github.distlock.spi.RequestRefusedException;

/** What {@link LocalQueue#ask} found out for one acquire. */
sealed interface Answer {
    /**
     * It is not this acquire's turn. Nothing was sent.
     *
     * @param lookAgainAt when to ask the queue again at the latest, by the nano clock
     */
    record NotYet(long lookAgainAt) implements Answer {}

    /** The store granted the lock. The asker offers the lease to a waiter or gives it back. */
    record Granted(Lease lease) implements Answer {}

    /** This client has kept the lock since an earlier grant. Nothing was sent. Otherwise like a grant. */
    record Kept(Lease lease) implements Answer {}

    /** The asker has joined a lease of this client. Nothing was sent. */
    record Joined(Handle handle) implements Answer {}

    /** The request failed. Its outcome is unknown. */
    record Failed(Throwable cause) implements Answer {}

    /** The store has not answered for so long that the acquire gives up. */
    record Unavailable(Throwable cause) implements Answer {}

    /** Asking again is pointless. */
    record Refused(RequestRefusedException cause) implements Answer {}

    /** An answer without further content. */
    enum Plain implements Answer {
        /** Another contender holds the lock or is first in the queue. */
        BUSY,
        /** The grant expired before it arrived. */
        TOO_LATE
    }
}
