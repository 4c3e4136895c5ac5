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
    /** An owner whose hold has a lock delay. */
    private static final Pattern DELAYED = Pattern.compile("[^\t]*\t\\d+\t[^\t]*\t[^\t]*\t\t(\\d{1,18})");

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

    /** Returns the owner of a hold with a lock delay: its last field is the delay, after an empty channel. */
    static String delayed(String owner, long delayMillis) {
        return delayMillis == 0 ? owner : owner + SEPARATOR + SEPARATOR + delayMillis;
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
        String owner = fields.group(5);
        Duration lease = remaining.minus(lockDelay(owner));
        return LockStatus.Holder.of(parseOwner(owner), mode(fields), instant(base), base, lease);
    }

    private static Duration lockDelay(String owner) {
        Matcher delayed = DELAYED.matcher(owner);
        return delayed.matches() ? Duration.ofMillis(Long.parseLong(delayed.group(1))) : Duration.ZERO;
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

    /** Returns the last holder if the record is that of a kept lock, or if only a lock delay keeps it. */
    static Optional<LockStatus.Kept> kept(String record, Duration remaining) {
        Matcher fields = KEPT.matcher(record);
        if (fields.matches()) {
            return Optional.of(LockStatus.Kept.of(parseOwner(fields.group(1)), remaining));
        }
        Matcher lost = RECORD.matcher(record);
        Duration delay = lost.matches() ? lockDelay(lost.group(5)) : Duration.ZERO;
        return delay.isZero() || remaining.compareTo(delay) > 0
                ? Optional.empty()
                : Optional.of(LockStatus.Kept.of(parseOwner(lost.group(5)), remaining));
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
