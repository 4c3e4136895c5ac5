package io.github.distlock.simulator;

import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.List;

/** The servers of a simulation, and the client library of each process. */
public interface SimulatedStore {

    /**
     * Creates the backend of a process. It reaches the servers over the {@link Network}.
     *
     * @param process the process
     * @return a new backend, which belongs to the client that is built on it
     */
    LockBackend backend(SimulatedProcess process);

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
     */
    void strike(String fault, long choice);

    /** Ends all faults of the servers: all are up and reachable. */
    void heal();

    /**
     * Looks for what should have expired. Called when all clients have closed and the longest expiry has passed.
     *
     * @return one line for each key, node or entry that is left
     */
    List<String> leftovers();
}
