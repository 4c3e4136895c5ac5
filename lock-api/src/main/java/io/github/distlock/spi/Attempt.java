package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** The store's answer to one {@link Contender#attempt}. */
public sealed interface Attempt {

    /**
     * The lock is ours.
     *
     * @param grant the store's view of the new hold
     * @return the answer
     */
    static Attempt granted(Grant grant) {
        return new Granted(requireNonNull(grant, "grant"));
    }

    /**
     * Somebody else has the lock, or is first in the queue.
     *
     * @param retryAfter ask again then at the latest, sooner after {@link Signals#wakeUp()}: the cap that makes a lost
     *     notification cost bounded time; zero or less means at once
     * @return the answer
     */
    static Attempt busy(Duration retryAfter) {
        return new Busy(requireNonNull(retryAfter, "retryAfter"));
    }

    /**
     * The lock is ours. Made by {@link #granted}; components may be added.
     *
     * @param grant the store's view of the new hold
     */
    record Granted(Grant grant) implements Attempt {}

    /**
     * Somebody else has the lock, or is first in the queue. Made by {@link #busy}; components may be added.
     *
     * @param retryAfter when to ask again at the latest, counted from now
     */
    record Busy(Duration retryAfter) implements Attempt {}
}
