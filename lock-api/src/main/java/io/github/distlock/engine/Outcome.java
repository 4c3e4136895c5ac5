package io.github.distlock.engine;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.spi.RequestRefusedException;

/** How an {@link Acquisition} ended, or what it was offered. */
sealed interface Outcome {
    /** Returns what the application is notified of. */
    AcquireOutcome forApplication();

    /** A hold that the acquirer has yet to {@linkplain Hold#accept accept}. */
    record Offered(Handle handle) implements Outcome {
        @Override
        public AcquireOutcome forApplication() {
            return AcquireOutcome.ACQUIRED;
        }
    }

    /** An error for the caller. */
    record Failed(Throwable failure) implements Outcome {
        @Override
        public AcquireOutcome forApplication() {
            return failure.getCause() instanceof RequestRefusedException
                    ? AcquireOutcome.REFUSED
                    : AcquireOutcome.UNAVAILABLE;
        }
    }

    /** An end without a hold and without an error. */
    enum Ended implements Outcome {
        /** The time is over, and the store's last answer was busy. */
        BUSY(AcquireOutcome.BUSY),
        INTERRUPTED(AcquireOutcome.INTERRUPTED),
        /** The caller has completed the future. */
        WITHDRAWN(AcquireOutcome.CANCELLED),
        /** The client was closed. */
        CLOSED(AcquireOutcome.CANCELLED),
        /** A checkpoint of the process was about to be made. */
        CHECKPOINT(AcquireOutcome.CANCELLED);

        private final AcquireOutcome forApplication;

        Ended(AcquireOutcome forApplication) {
            this.forApplication = forApplication;
        }

        @Override
        public AcquireOutcome forApplication() {
            return forApplication;
        }
    }
}
