package io.github.distlock.spring;

import io.github.distlock.LockException;
import java.io.Serial;
import java.time.Duration;

/**
 * The lock of a {@link DistributedLocked} method was busy for all of the time that the call waited. The method has not
 * run. This is not a {@link LockException}, because nothing went wrong: a caller may try again, or answer that another
 * caller does the work.
 */
public class LockBusyException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** The lock's name. */
    private final String lockName;

    /**
     * Makes an error. Tests of user code may, too.
     *
     * @param lockName the lock's name, or several names
     * @param maxWait how long the call has waited
     */
    public LockBusyException(String lockName, Duration maxWait) {
        super("lock \"" + lockName + "\" is " + (maxWait.isZero() ? "busy" : "still busy after " + maxWait));
        this.lockName = lockName;
    }

    /**
     * Returns the lock's name.
     *
     * @return the name; of several locks, all names in one text
     */
    public String lockName() {
        return lockName;
    }
}
