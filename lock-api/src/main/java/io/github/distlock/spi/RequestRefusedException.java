package io.github.distlock.spi;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * The store has definitely not done what was asked, and asking again in the same way is pointless: missing rights, a
 * foreign value at the lock's key, a name that the store cannot take. Everything that may pass by itself, such as a
 * server that is loading or electing, is <em>not</em> this.
 */
public class RequestRefusedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A refusal.
     *
     * @param message the server's own words and what they were about
     * @param cause the client's exception, or {@code null}
     */
    public RequestRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
