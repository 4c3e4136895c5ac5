package io.github.distlock.engine;

import org.jspecify.annotations.Nullable;

/**
 * Whether a waiter may ask the store now.
 *
 * @param entry the entry through which it asks, or null
 * @param lookAgainAt without an entry, when it looks again at the latest, by the nano clock
 */
record Claim(@Nullable QueueEntry entry, long lookAgainAt) {
    static Claim notBefore(long lookAgainAt) {
        return new Claim(null, lookAgainAt);
    }
}
