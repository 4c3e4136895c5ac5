package io.github.distlock;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** An error with a lock: the store does not answer or refuses, or the hold was lost. */
public class LockException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** The lock's name. */
    private final String lockName;

    /**
     * Makes an error. Tests of user code may, too.
     *
     * @param lockName the lock's name
     * @param message what happened, in the store's own words if it has any
     * @param cause what the store's client threw, or {@code null}
     */
    public LockException(String lockName, String message, @Nullable Throwable cause) {
        super("lock \"" + lockName + "\": " + message, cause);
        this.lockName = lockName;
    }

    /**
     * Returns the lock's name.
     *
     * @return the name
     */
    public String lockName() {
        return lockName;
    }
}
