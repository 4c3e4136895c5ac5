package io.github.distlock.simulator;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.history.HistoryRule;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The servers of a simulation, and the client library of each process. */
public interface SimulatedStore {
    /**
     * The rules that break if a store forgets a hold, or ends it too early: S1, S6, S9, S10, S13 and S15. Until the
     * client of that hold learns of it, its local handoffs have tokens below those of other clients.
     */
    Set<HistoryRule> EXCLUSION = Set.of(
            HistoryRule.HOLDS_DO_NOT_OVERLAP,
            HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT,
            HistoryRule.WRITERS_EXCLUDE_OTHERS,
            HistoryRule.PERMITS_FIT,
            HistoryRule.MINIMUM_HOLDS_LAST,
            HistoryRule.LOCK_DELAYS_LAST,
            HistoryRule.LOCAL_TOKENS_RISE);

    /** The fault that copies a process while it runs, as a clone of a virtual machine does. */
    String COPY = "copy of a process";

    /**
     * Creates the backend of a process. It reaches the servers over the {@link Network}.
     *
     * @param process the process
     * @return a new backend, which belongs to the client that is built on it
     */
    LockBackend backend(SimulatedProcess process);

    /**
     * Closes the client library of a process, as an application does that ends in the wrong order. Does nothing if the
     * backend has its own.
     *
     * @param process a process that still uses its locks
     * @return whether it had one
     */
    default boolean closeClientLibrary(SimulatedProcess process) {
        return false;
    }

    /**
     * Returns whether an acquire or a downgrade may fail for such a reason.
     *
     * @param failure what the call has thrown, which its contract names
     * @return false if the backend should have known what to do
     */
    default boolean mayFailWith(Throwable failure) {
        return true;
    }

    /**
     * Returns the servers to which processes have links.
     *
     * @return their names in the {@link Network}
     */
    List<String> servers();

    /**
     * Returns how long the servers keep at most what a silent client left, if it is not a hold, which ends with its
     * lease.
     *
     * @return a bound
     */
    Duration longestExpiry();

    /**
     * Returns whether what no user holds goes to a waiter at once, unless a fault has effects: a message wakes the
     * waiter.
     *
     * @return false if the store promises less, or other programs use locks, or the simulation does not look at it
     */
    default boolean wakesWaitersAtOnce() {
        return false;
    }

    /**
     * Returns the faults of the servers that the stated bounds allow.
     *
     * @return names, as {@link #strike} takes them
     */
    List<String> faults();

    /**
     * Returns the faults of the servers that the documents exclude or name as an exception, such as lost data.
     *
     * @return names, as {@link #strike} takes them
     */
    List<String> excludedFaults();

    /**
     * Lets a fault happen now. A fault that lasts ends by itself: the store schedules its end.
     *
     * @param fault its name
     * @param choice any number, from which the store derives the server and the length
     * @return when the fault ends, in true time
     */
    long strike(String fault, long choice);

    /**
     * Returns the rules that a fault may break, as the guarantees say. Asked right after the fault has struck.
     *
     * @param fault its name
     * @return the rules, with the times for which they may be broken. Holds that existed when the fault struck may add
     *     the time for which they are valid
     */
    default Map<HistoryRule, Duration> exceptions(String fault) {
        return Map.of();
    }

    /**
     * Lets the processes of this store go on as clients of another store. Their connections break. A store that has
     * the fault {@link #COPY} can do this.
     *
     * @param other a store that has done the same until now
     */
    default void goOnIn(SimulatedStore other) {
        other.serveClientsOf(this);
    }

    /**
     * Does the work of {@link #goOnIn}, for the other store.
     *
     * @param earlier the store that served the clients until now
     */
    default void serveClientsOf(SimulatedStore earlier) {
        throw new UnsupportedOperationException();
    }

    /** Ends all faults of the servers: all are up and reachable. */
    void heal();

    /**
     * Looks for what should have expired. Called when all clients have closed and the longest expiry has passed.
     *
     * @return one line for each key, node or entry that is left
     */
    List<String> leftovers();
}
