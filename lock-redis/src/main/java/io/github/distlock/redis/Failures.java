package io.github.distlock.redis;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.RequestRefusedException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;

/** What failed requests mean, whichever client library has sent them. */
final class Failures {
    private Failures() {}

    /** Returns a refusal if the server has refused the request with these words, otherwise an {@link ErrorReply}. */
    static RuntimeException answered(String lockName, String words, Throwable error) {
        String refusal = ErrorReply.refusal(words);
        return refusal.isEmpty() ? new ErrorReply(words, error) : refusal(lockName, refusal, error);
    }

    static RequestRefusedException refusal(String lockName, String words, Throwable error) {
        return new RequestRefusedException("Redis refuses lock \"" + lockName + "\": " + words, error);
    }

    /** Returns the message of an error, and the message of its first cause if that says more. */
    static String words(Throwable error) {
        String words = String.valueOf(error.getMessage());
        Throwable first = error;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        String cause = String.valueOf(first.getMessage());
        return first.getMessage() == null || words.contains(cause) ? words : words + ": " + cause;
    }

    /**
     * Returns whether both sides have not agreed on TLS. An error whose cause is a broken connection says nothing about
     * the server's settings.
     */
    static boolean isRefusedByTls(Throwable error) {
        boolean refused = false;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            boolean ofTls = cause instanceof SSLException;
            if (cause instanceof IOException && !ofTls) {
                return false;
            }
            refused |= cause instanceof GeneralSecurityException
                    || cause instanceof SSLHandshakeException
                    || cause instanceof SSLPeerUnverifiedException
                    || (ofTls && String.valueOf(cause.getMessage()).startsWith("Unsupported or unrecognized SSL"));
        }
        return refused;
    }
}
