package io.github.distlock.tests.history;

import io.github.distlock.LockException;
import java.util.Locale;
import java.util.concurrent.CancellationException;

/** The ways in which threads of a history acquire locks. */
public enum AcquireKind {
    /** With a time. */
    TIMED,
    /** Without one. */
    UNTIMED,
    /** A single try. */
    TRY,
    /** By a future, which the thread cancels after a while. */
    ASYNCHRONOUS,
    /** Without a time, and the thread may be interrupted. */
    INTERRUPTED,
    /** Without a time, for a fair lock. */
    FAIR,
    /** A downgrade of a write hold. */
    DOWNGRADE;

    /** {@return the word for a history} */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns whether the contract of the call names a failure, if the client is not closed.
     *
     * @param failure what the call has thrown, or what has completed its future
     * @return false for an error of the library
     */
    public boolean mayFailWith(Throwable failure) {
        return failure instanceof LockException
                || (this == INTERRUPTED && failure instanceof InterruptedException)
                || (this == ASYNCHRONOUS && failure instanceof CancellationException);
    }
}
