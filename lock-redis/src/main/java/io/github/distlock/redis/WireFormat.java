package io.github.distlock.redis;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The holder's record and the queue entries of wire format 1, as {@code record.lua} and {@code queue.lua} describe
 * them. People can read them at the server.
 */
final class WireFormat {
    private static final String SEPARATOR = "\t";
    /** Format, kind and count. */
    private static final String HEAD = "1\tlock\t1";

    private static final Pattern RECORD = Pattern.compile("\\S+\t" + HEAD + "\t(\\d{1,18})\t([^\n]*)\n?");
    private static final Pattern KEPT = Pattern.compile("kept\t1\tkept\t1\t\\d{1,18}\t([^\n]*)");
    private static final Pattern ENTRY = Pattern.compile(HEAD + "\t\\S+\t[^\t]+\t\\d+\t(.*)");

    private WireFormat() {}

    static String record(String value, long base, String owner) {
        return String.join(SEPARATOR, value, HEAD, Long.toString(base), owner);
    }

    static String entry(String value, String channel, long handoffMillis, String owner) {
        return String.join(SEPARATOR, HEAD, value, channel, Long.toString(handoffMillis), owner);
    }

    static String owner(LockOwner owner) {
        return String.join(
                SEPARATOR,
                plain(owner.host()),
                Long.toString(owner.processId()),
                plain(owner.client()),
                plain(owner.thread()));
    }

    private static String plain(String field) {
        return field.replace('\t', ' ').replace('\n', ' ').replace('\r', ' ');
    }

    /** Returns the holder that a record describes. What another program has written may be anything. */
    static LockStatus.Holder holder(String record, Duration remaining) {
        Matcher fields = RECORD.matcher(record);
        if (!fields.matches()) {
            return LockStatus.Holder.of(unknown(record), LockMode.EXCLUSIVE, Instant.EPOCH, 1, remaining);
        }
        long base = Long.parseLong(fields.group(1));
        Instant since = Instant.ofEpochMilli(base / 1_000);
        return LockStatus.Holder.of(parseOwner(fields.group(2)), LockMode.EXCLUSIVE, since, base, remaining);
    }

    /** Returns the last holder if the record is that of a kept lock. */
    static Optional<LockStatus.Kept> kept(String record, Duration remaining) {
        Matcher fields = KEPT.matcher(record);
        return fields.matches()
                ? Optional.of(LockStatus.Kept.of(parseOwner(fields.group(1)), remaining))
                : Optional.empty();
    }

    static LockOwner ownerOfEntry(String entry) {
        Matcher fields = ENTRY.matcher(entry);
        return fields.matches() ? parseOwner(fields.group(1)) : unknown(entry);
    }

    private static LockOwner parseOwner(String text) {
        String[] fields = text.split(SEPARATOR, 4);
        if (fields.length == 4 && fields[1].matches("\\d{1,18}")) {
            return LockOwner.of(fields[0], Long.parseLong(fields[1]), fields[2], fields[3]);
        }
        return unknown(text);
    }

    private static LockOwner unknown(String text) {
        return LockOwner.of("", 0, text, "");
    }
}
