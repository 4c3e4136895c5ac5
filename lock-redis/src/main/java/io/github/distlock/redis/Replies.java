package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.RequestRefusedException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * Translates replies to values, and errors to exceptions of the backend interface.
 *
 * <p>A <em>refusal</em> fails the acquire at once: the request has certainly not been executed, and another one would
 * get the same error. After any other error the outcome is <em>unknown</em>, and the engine asks again.
 *
 * <table>
 * <caption>What errors mean</caption>
 * <tr><th>error</th><th>means</th></tr>
 * <tr><td>{@code NOPERM}, {@code NOAUTH}, {@code WRONGPASS}, {@code ERR AUTH}, {@code DENIED}</td>
 *     <td>refusal: credentials, rights, protected mode</td></tr>
 * <tr><td>{@code WRONGTYPE}, {@code CROSSSLOT}, unknown commands, database out of range, syntax</td>
 *     <td>refusal: another value at the key, keys of several slots, the wrong server</td></tr>
 * <tr><td>{@code MOVED}, {@code ASK}</td>
 *     <td>refusal: a client that does not follow redirections is connected to a cluster</td></tr>
 * <tr><td>no agreement on TLS, a bad certificate, unreadable key stores</td>
 *     <td>refusal, unless the connection broke in between</td></tr>
 * <tr><td>{@code OOM}, {@code BUSY}, {@code NOREPLICAS}, {@code MISCONF}, {@code TRYAGAIN}, the greatest number of
 *     clients</td><td>unknown: may pass, on the same connection</td></tr>
 * <tr><td>{@code READONLY}, {@code LOADING}, {@code MASTERDOWN}, {@code CLUSTERDOWN}</td>
 *     <td>unknown: may pass, over a new connection</td></tr>
 * <tr><td>{@code NOSCRIPT}</td><td>the request is sent again with the script's text</td></tr>
 * <tr><td>broken connection, silence, refused connection, unknown host, exhausted pool, no reachable node</td>
 *     <td>unknown: networks and name servers recover</td></tr>
 * <tr><td>the backend is closed</td><td>unknown; the engine has closed it, and asks no more</td></tr>
 * </table>
 */
final class Replies {
    /**
     * Errors that the same request gets again. All others may pass, such as those of a server that is out of memory.
     */
    private static final Set<String> REFUSALS =
            Set.of("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE", "CROSSSLOT", "DENIED");

    /** Errors of a server that may no longer be the one that the address leads to. */
    private static final Set<String> OTHER_SERVER = Set.of("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN");

    /** Redis before 7 wraps the error of a command in a script in another error. */
    private static final Pattern IN_SCRIPT = Pattern.compile("Error running script.*?: -?([A-Z]+) ");

    /** What a server replies to {@code SET … GET} if it does not know that option. */
    private static final String TOO_OLD = "ERR syntax error";

    private Replies() {}

    static List<?> list(@Nullable Object reply) {
        if (reply instanceof List<?> list) {
            return list;
        }
        throw unexpected(reply);
    }

    static long number(@Nullable Object reply) {
        if (reply instanceof Long number) {
            return number;
        }
        if (reply instanceof byte[] text) {
            return Long.parseLong(new String(text, UTF_8));
        }
        throw unexpected(reply);
    }

    static String text(@Nullable Object reply) {
        if (reply instanceof byte[] text) {
            return new String(text, UTF_8);
        }
        throw unexpected(reply);
    }

    private static IllegalStateException unexpected(@Nullable Object reply) {
        return new IllegalStateException("unexpected reply from the server: " + reply);
    }

    /**
     * Returns a refusal if the server has refused the request, otherwise an error with the words of its causes.
     */
    static RuntimeException translated(JedisException error, String lockName) {
        String words = words(error);
        if (error instanceof JedisRedirectionException) {
            return refusal(
                    lockName, words + "; a cluster needs RedisBackend.of(client) with a client for clusters", error);
        }
        if (error instanceof JedisDataException && isRefusal(words)) {
            String reason = words.startsWith(TOO_OLD) ? "; Redis 6.2 or newer is needed" : "";
            return refusal(lockName, words + reason, error);
        }
        if (isRefusedByTls(error)) {
            return refusal(lockName, words, error);
        }
        return words.equals(error.getMessage()) ? error : new JedisException(words, error);
    }

    private static RequestRefusedException refusal(String lockName, String words, JedisException error) {
        return new RequestRefusedException("Redis refuses lock \"" + lockName + "\": " + words, error);
    }

    /** Returns the message of an error, and the message of its first cause if that says more. */
    private static String words(JedisException error) {
        String words = String.valueOf(error.getMessage());
        Throwable first = error;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        String cause = String.valueOf(first.getMessage());
        return first.getMessage() == null || words.contains(cause) ? words : words + ": " + cause;
    }

    private static boolean isRefusal(String words) {
        String lower = words.toLowerCase(Locale.ROOT);
        return REFUSALS.contains(code(words))
                || words.startsWith(TOO_OLD)
                || lower.contains("can't run this command")
                || lower.startsWith("err unknown command")
                || lower.startsWith("err invalid password")
                || lower.startsWith("err db index is out of range")
                || lower.startsWith("err auth ");
    }

    /**
     * Returns whether both sides have not agreed on TLS. An error whose cause is a broken connection says nothing about
     * the server's settings.
     */
    private static boolean isRefusedByTls(Throwable error) {
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

    /** Returns whether the right to send a command is missing. */
    static boolean isMissingRight(JedisDataException error) {
        return code(String.valueOf(error.getMessage())).equals("NOPERM");
    }

    /** Returns whether an open connection has broken. Silence and a failure to connect do not count. */
    static boolean isBrokenConnection(JedisException error) {
        return error instanceof JedisConnectionException
                && !isSilence(error)
                && !String.valueOf(error.getMessage()).startsWith("Failed to ");
    }

    /** Returns whether the server has not answered in time. */
    static boolean isSilence(JedisException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException) {
                return true;
            }
        }
        return false;
    }

    /** Returns whether the reply says that the server cannot keep locks at present. */
    static boolean isOfAnotherServer(@Nullable Object reply) {
        return reply instanceof JedisDataException error
                && OTHER_SERVER.contains(code(String.valueOf(error.getMessage())));
    }

    /**
     * Returns whether a cluster refuses the request because it migrates the slot of the keys. It does so if the request
     * has several keys of which one is missing.
     */
    static boolean isOfMigratingSlot(@Nullable Object reply) {
        return reply instanceof JedisDataException error
                && code(String.valueOf(error.getMessage())).equals("TRYAGAIN");
    }

    private static String code(String words) {
        Matcher inner = IN_SCRIPT.matcher(words);
        if (inner.find()) {
            return inner.group(1);
        }
        int end = words.indexOf(' ');
        return end < 0 ? words : words.substring(0, end);
    }
}
