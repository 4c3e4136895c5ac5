package io.github.distlock.examples.fencing;

import io.github.distlock.fencing.StaleTokenException;

/** Two balances in one store: one behind a fence, and one without. */
interface Account {
    /**
     * Writes the fenced balance.
     *
     * @throws StaleTokenException if the store has seen a greater token
     */
    void write(String balance, long token) throws Exception;

    /** Writes the other balance. */
    void writeUnfenced(String balance) throws Exception;

    /** Returns the fenced balance. */
    String balance() throws Exception;

    /** Returns the other balance. */
    String unfencedBalance() throws Exception;
}
