package io.github.distlock;

/** How an acquire ended. More outcomes may come, so give a {@code switch} a default. */
public enum AcquireOutcome {
    /** The caller got the hold. */
    ACQUIRED,
    /** The time to wait was over, or the acquire asked only once, and the lock was busy. */
    BUSY,
    /** The store did not answer in time, or its grant came too late. */
    UNAVAILABLE,
    /** The store refused the acquire, or the calling thread must not wait. */
    REFUSED,
    /** The thread was interrupted. */
    INTERRUPTED,
    /** The caller completed the future, the client was closed, or the process was about to be checkpointed. */
    CANCELLED
}
