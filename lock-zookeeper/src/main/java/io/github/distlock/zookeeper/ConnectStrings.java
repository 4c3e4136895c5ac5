package io.github.distlock.zookeeper;

import org.jspecify.annotations.Nullable;

/** What messages may show of a connect string. */
final class ConnectStrings {
    private ConnectStrings() {}

    /**
     * Returns a connect string, or a message that may contain one, without the credentials that somebody may have put
     * into it: nothing before the last {@code @}.
     */
    static String withoutCredentials(@Nullable String text) {
        String known = String.valueOf(text);
        return hasCredentials(known) ? "…" + known.substring(known.lastIndexOf('@')) : known;
    }

    static boolean hasCredentials(String text) {
        return text.indexOf('@') >= 0;
    }
}
