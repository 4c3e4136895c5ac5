package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** Translates replies to values, and error replies to exceptions of the backend interface. */
final class Replies {
    /**
     * Errors that the same request gets again. All others may pass, such as those of a server that is out of memory.
     */
    private static final Set<String> REFUSALS = Set.of("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE");

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

    /** Returns a refusal if the server has refused the request, otherwise the error itself. */
    static RuntimeException translated(JedisException error, String lockName) {
        String words = String.valueOf(error.getMessage());
        if (error instanceof JedisDataException && isRefusal(words)) {
            String reason = words.startsWith(TOO_OLD) ? "; Redis 6.2 or newer is needed" : "";
            return new RequestRefusedException("Redis refuses lock \"" + lockName + "\": " + words + reason, error);
        }
        return error;
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

    /** Returns whether the reply says that the server cannot keep locks at present. */
    static boolean isOfAnotherServer(@Nullable Object reply) {
        return reply instanceof JedisDataException error
                && OTHER_SERVER.contains(code(String.valueOf(error.getMessage())));
    }

    /**
     * Returns whether a cluster refuses requests with several keys, of which one is missing, while it migrates their
     * slot. It answers requests with one key.
     */
    static boolean isOfMigratedSlot(@Nullable Object reply) {
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
