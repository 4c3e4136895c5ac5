package io.github.distlock.engine;

/** How an {@link Acquisition} ended, or what it was offered. */
sealed interface Outcome {
    /** A hold that the acquirer has yet to {@linkplain Hold#accept accept}. */
    record Offered(Handle handle) implements Outcome {}

    /** An error for the caller. */
    record Failed(Throwable failure) implements Outcome {}

    /** An end without a hold and without an error. */
    enum Ended implements Outcome {
        /** The time is over, and the store's last answer was busy. */
        BUSY,
        INTERRUPTED,
        /** The caller has completed the future. */
        WITHDRAWN,
        /** The client was closed. */
        CLOSED,
        /** A checkpoint of the process was about to be made. */
        CHECKPOINT
    }
}
