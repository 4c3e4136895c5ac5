package io.github.distlock;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** Trouble with a lock: the store does not answer or refuses, or the hold was lost. */
public class LockException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** Which lock. */
    private final String lockName;

    /**
     * Trouble with a lock. Public so that tests of user code can make one.
     *
     * @param lockName which lock
     * @param message what happened, in the store's own words where it has any
     * @param cause what was thrown by the store's client, or {@code null}
     */
    public LockException(String lockName, String message, @Nullable Throwable cause) {
        super("lock \"" + lockName + "\": " + message, cause);
        this.lockName = lockName;
    }

    /**
     * Which lock.
     *
     * @return its name
     */
    public String lockName() {
        return lockName;
    }
}
