package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the values in replies: lists, {@code Long} and {@code byte[]}. */
final class Replies {
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

    /** Returns the number of a port that a server has named. */
    static int port(@Nullable Object reply) {
        long port = number(reply);
        if (port < 1 || port > 65_535) {
            throw unexpected(reply);
        }
        return (int) port;
    }

    static String text(@Nullable Object reply) {
        if (reply instanceof byte[] text) {
            return new String(text, UTF_8);
        }
        throw unexpected(reply);
    }

    /** Returns the value of one setting in the reply to {@code CONFIG GET}, or an empty text without the setting. */
    static String setting(@Nullable Object reply) {
        List<?> parts = list(reply);
        if (parts.size() == 1 && parts.get(0) instanceof Map.Entry<?, ?> entry) {
            return text(entry.getValue());
        }
        return parts.size() == 2 ? text(parts.get(1)) : "";
    }

    private static IllegalStateException unexpected(@Nullable Object reply) {
        return new IllegalStateException("unexpected reply from the server: " + reply);
    }
}
