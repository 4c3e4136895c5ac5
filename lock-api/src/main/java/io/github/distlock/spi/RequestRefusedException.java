package io.github.distlock.spi;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * The store has certainly not done what was asked, and would refuse the same request again: missing rights, a foreign
 * value at the lock's key, a name that the store cannot take. A state that can pass by itself, such as a server that
 * loads its data or an election, is <em>not</em> a refusal.
 */
public class RequestRefusedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal.
     *
     * @param message the server's own words and what they were about
     * @param cause the client's exception, or {@code null}
     */
    public RequestRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /**
     * Makes the refusal of a request for a name that is used as another kind of lock.
     *
     * @param wanted what the request asked for
     * @param used what the name is used as
     * @return the refusal
     */
    public static RequestRefusedException otherKind(LockMode wanted, LockKind used) {
        return new RequestRefusedException(
                "its name is used as a " + used + ", so it cannot be used as a " + wanted.lockKind()
                        + "; each name has one kind",
                null);
    }
}
