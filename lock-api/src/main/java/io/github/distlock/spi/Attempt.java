package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** The store's answer to one {@link Contender#attempt}. */
public sealed interface Attempt {

    /**
     * Answers that the contender holds the lock.
     *
     * @param grant the store's view of the new hold
     * @return the answer
     */
    static Attempt granted(Grant grant) {
        return new Granted(requireNonNull(grant, "grant"));
    }

    /**
     * Answers that another contender holds the lock, or is first in the queue.
     *
     * @param retryAfter when to ask again at the latest, sooner after {@link Signals#wakeUp()}. So a lost notification
     *     costs bounded time. Zero or less means at once
     * @return the answer
     */
    static Attempt busy(Duration retryAfter) {
        return new Busy(requireNonNull(retryAfter, "retryAfter"));
    }

    /** The contender holds the lock. */
    final class Granted implements Attempt {
        private final Grant grant;

        private Granted(Grant grant) {
            this.grant = grant;
        }

        /**
         * Returns the store's view of the new hold.
         *
         * @return the grant
         */
        public Grant grant() {
            return grant;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Granted granted && grant.equals(granted.grant);
        }

        @Override
        public int hashCode() {
            return grant.hashCode();
        }

        @Override
        public String toString() {
            return "granted: " + grant;
        }
    }

    /** Another contender holds the lock, or is first in the queue. */
    final class Busy implements Attempt {
        private final Duration retryAfter;

        private Busy(Duration retryAfter) {
            this.retryAfter = retryAfter;
        }

        /**
         * Returns when to ask again at the latest.
         *
         * @return counted from now; zero or less means at once
         */
        public Duration retryAfter() {
            return retryAfter;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Busy busy && retryAfter.equals(busy.retryAfter);
        }

        @Override
        public int hashCode() {
            return retryAfter.hashCode();
        }

        @Override
        public String toString() {
            return "busy, ask again within " + retryAfter;
        }
    }
}
