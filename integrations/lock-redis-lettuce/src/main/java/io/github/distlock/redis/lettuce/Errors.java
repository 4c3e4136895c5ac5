package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.RequestRefusedException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/** What exceptions of Lettuce mean for the backend. */
final class Errors {
    /** Why the connections of a closed backend are closed. */
    static final String CLOSED = "the Redis backend is closed";

    private Errors() {}

    /** Returns the failure of a future without the exception that wraps it. */
    static Throwable cause(Throwable failure) {
        Throwable cause = failure.getCause();
        return failure instanceof CompletionException && cause != null ? cause : failure;
    }

    /**
     * Returns an {@link ErrorReply} if a server has answered the error, a refusal if the client cannot connect at all.
     */
    static RuntimeException translated(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof RedisCommandExecutionException) {
                return new ErrorReply(String.valueOf(cause.getMessage()), error);
            }
            // A server in protected mode answers this, and Lettuce takes it for a broken connection.
            if (cause instanceof RedisConnectionException
                    && RedisConnectionException.isProtectedMode(cause.getMessage())) {
                return new ErrorReply(String.valueOf(cause.getMessage()), error);
            }
        }
        boolean isState = error instanceof IllegalStateException && !(error instanceof CancellationException);
        if (isState || error instanceof IllegalArgumentException) {
            // The client has no address, or has been shut down.
            return new RequestRefusedException("the Lettuce client cannot connect: " + error.getMessage(), error);
        }
        return error instanceof RuntimeException unchecked
                ? unchecked
                : new RedisConnectionException(String.valueOf(error.getMessage()), error);
    }
}
