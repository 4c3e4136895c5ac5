package io.github.distlock.spi;

import java.time.Duration;
import java.util.Objects;

/** The store's answer to one {@link Contender#attempt}. Immutable. */
public sealed interface Attempt permits Attempt.Granted, Attempt.Busy {

    /**
     * The lock is ours.
     *
     * @param grant the store's view of the new hold
     * @return the answer
     */
    static Granted granted(Grant grant) {
        return new Granted(grant);
    }

    /**
     * Somebody else has the lock, or is first in the queue.
     *
     * @param retryAfter ask again then at the latest, sooner after {@link Signals#wakeUp()}: the cap that makes a lost
     *     notification cost bounded time; zero or less means at once
     * @return the answer
     */
    static Busy busy(Duration retryAfter) {
        return new Busy(retryAfter);
    }

    /** The lock is ours. */
    final class Granted implements Attempt {
        private final Grant grant;

        private Granted(Grant grant) {
            this.grant = Objects.requireNonNull(grant, "grant");
        }

        /**
         * The new hold.
         *
         * @return the store's view of it
         */
        public Grant grant() {
            return grant;
        }

        @Override
        public String toString() {
            return "granted, base " + grant.fencingBase();
        }
    }

    /** Somebody else has the lock, or is first in the queue. */
    final class Busy implements Attempt {
        private final Duration retryAfter;

        private Busy(Duration retryAfter) {
            this.retryAfter = Objects.requireNonNull(retryAfter, "retryAfter");
        }

        /**
         * When to ask again at the latest, counted from now.
         *
         * @return zero or less means at once
         */
        public Duration retryAfter() {
            return retryAfter;
        }

        @Override
        public String toString() {
            return "busy, ask again within " + retryAfter;
        }
    }
}
