package io.github.distlock.redis;

import io.github.distlock.LockOwner;

/** Owners as text that people can read at the server: host, process, client and thread between tabs. */
final class Owners {
    private static final String SEPARATOR = "\t";

    private Owners() {}

    static String text(LockOwner owner) {
        return plain(owner.host())
                + SEPARATOR
                + owner.processId()
                + SEPARATOR
                + plain(owner.client())
                + SEPARATOR
                + plain(owner.thread());
    }

    /** What another client wrote may be anything. */
    static LockOwner parse(String text) {
        String[] parts = text.split(SEPARATOR, 4);
        if (parts.length == 4 && parts[1].matches("\\d{1,18}")) {
            return LockOwner.of(parts[0], Long.parseLong(parts[1]), parts[2], parts[3]);
        }
        return LockOwner.of("", 0, text, "");
    }

    private static String plain(String part) {
        return part.replace('\t', ' ').replace('\n', ' ').replace('\r', ' ');
    }
}
