package io.github.distlock.fencing;

import java.io.Serial;

/** A {@link FencingGuard} has no room for a new key, because it may not forget any of those that it has. */
public class FencingGuardFullException extends IllegalStateException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * Makes an error. Tests of user code may, too.
     *
     * @param message what happened
     */
    public FencingGuardFullException(String message) {
        super(message);
    }
}
