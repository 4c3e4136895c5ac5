package io.github.distlock.redis;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The holders' records and the queue entries of wire format 1, as {@code record.lua}, {@code queue.lua} and
 * {@code shared.lua} describe them. People can read them at the server.
 */
final class WireFormat {
    private static final String SEPARATOR = "\t";
    private static final String FORMAT = "1";
    /** The mode and the count, in three groups. */
    private static final String MODE = "(?:(lock|read|write)\t1|permits\t([1-9]\\d{0,9})/([1-9]\\d{0,9}))";

    private static final Pattern RECORD = Pattern.compile("\\S+\t1\t" + MODE + "\t(\\d{1,18})\t([^\n]*)\n?");
    private static final Pattern KEPT = Pattern.compile("kept\t1\tkept\t1\t\\d{1,18}\t([^\n]*)");
    private static final Pattern ENTRY = Pattern.compile("1\t" + MODE + "\t\\S+\t[^\t]+\t\\d+\t(.*)");

    private static final Pattern REQUEST = Pattern.compile("1\t(\\d{1,18})\t(\\d{1,18})\t(\\S+)\t([^\n]*)");

    /**
     * A request to release a lock.
     *
     * @param base the greatest one of the holders at that time
     * @param micros when it came, in microseconds since 1970
     */
    record Request(long base, long micros, String id, LockOwner requester) {}

    private WireFormat() {}

    static String record(LockMode mode, String value, long base, String owner) {
        return String.join(SEPARATOR, value, FORMAT, word(mode), count(mode), Long.toString(base), owner);
    }

    static String entry(LockMode mode, String value, String channel, long handoffMillis, String owner) {
        return String.join(
                SEPARATOR, FORMAT, word(mode), count(mode), value, channel, Long.toString(handoffMillis), owner);
    }

    static String word(LockMode mode) {
        return switch (mode.kind()) {
            case EXCLUSIVE -> "lock";
            case READ -> "read";
            case WRITE -> "write";
            case PERMITS -> "permits";
        };
    }

    static String count(LockMode mode) {
        return mode.kind() == LockMode.Kind.PERMITS ? mode.count() + "/" + mode.limit() : "1";
    }

    /** Returns the kind of a name, which the scripts reply with a refusal. */
    static LockKind kind(String text) {
        return switch (text) {
            case "lock" -> LockKind.LOCK;
            case "read-write" -> LockKind.READ_WRITE_LOCK;
            case "permits" -> LockKind.SEMAPHORE;
            default -> throw new IllegalStateException("unexpected kind from the server: " + text);
        };
    }

    static String owner(LockOwner owner) {
        return String.join(
                SEPARATOR,
                plain(owner.host()),
                Long.toString(owner.processId()),
                plain(owner.client()),
                plain(owner.thread()));
    }

    /** Returns the owner of a sticky hold: its last field is the client's channel for messages about others. */
    static String sticky(String owner, String channel) {
        return owner + SEPARATOR + channel;
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
        long base = Long.parseLong(fields.group(4));
        return LockStatus.Holder.of(parseOwner(fields.group(5)), mode(fields), instant(base), base, remaining);
    }

    private static LockMode mode(Matcher fields) {
        String word = fields.group(1);
        if (word == null) {
            long limit = Math.min(Long.parseLong(fields.group(3)), Integer.MAX_VALUE);
            return LockMode.permits((int) Math.min(Long.parseLong(fields.group(2)), limit), (int) limit);
        }
        return switch (word) {
            case "read" -> LockMode.READ;
            case "write" -> LockMode.WRITE;
            default -> LockMode.EXCLUSIVE;
        };
    }

    /** Returns the last holder if the record is that of a kept lock. */
    static Optional<LockStatus.Kept> kept(String record, Duration remaining) {
        Matcher fields = KEPT.matcher(record);
        return fields.matches()
                ? Optional.of(LockStatus.Kept.of(parseOwner(fields.group(1)), remaining))
                : Optional.empty();
    }

    /** Returns a request to release a lock. Another version of this library may have written it. */
    static Optional<Request> request(String text) {
        Matcher fields = REQUEST.matcher(text);
        return fields.matches()
                ? Optional.of(new Request(
                        Long.parseLong(fields.group(1)),
                        Long.parseLong(fields.group(2)),
                        fields.group(3),
                        parseOwner(fields.group(4))))
                : Optional.empty();
    }

    /** Returns the waiter that a queue entry describes. Another version of this library may have written it. */
    static LockStatus.Waiter waiter(String entry, long micros) {
        Matcher fields = ENTRY.matcher(entry);
        return fields.matches()
                ? LockStatus.Waiter.of(parseOwner(fields.group(4)), mode(fields), instant(micros))
                : LockStatus.Waiter.of(unknown(entry), LockMode.EXCLUSIVE, instant(micros));
    }

    private static Instant instant(long micros) {
        return Instant.ofEpochMilli(micros / 1_000);
    }

    private static LockOwner parseOwner(String text) {
        String[] fields = text.split(SEPARATOR, -1);
        if (fields.length >= 4 && fields[1].matches("\\d{1,18}")) {
            return LockOwner.of(fields[0], Long.parseLong(fields[1]), fields[2], fields[3]);
        }
        return unknown(text);
    }

    private static LockOwner unknown(String text) {
        return LockOwner.of("", 0, text, "");
    }
}
