package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** Replies as values, and error replies as the exceptions that the engine understands. */
final class Replies {
    /** Asking again in the same way is pointless. Everything else may pass: a server that loads, elects, or is out of memory. */
    private static final Set<String> REFUSALS = Set.of("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE");

    private Replies() {}

    static List<?> list(@Nullable Object reply) {
        if (reply instanceof List<?> list && !list.isEmpty()) {
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

    /** As a refusal, or as it is. */
    static RuntimeException translated(JedisException error, String lockName) {
        String words = String.valueOf(error.getMessage());
        if (error instanceof JedisDataException && isRefusal(words)) {
            return new RequestRefusedException("Redis refuses lock \"" + lockName + "\": " + words, error);
        }
        return error;
    }

    private static boolean isRefusal(String words) {
        int end = words.indexOf(' ');
        String code = end < 0 ? words : words.substring(0, end);
        String lower = words.toLowerCase(Locale.ROOT);
        return REFUSALS.contains(code)
                || lower.startsWith("err unknown command")
                || lower.startsWith("err invalid password");
    }
}
