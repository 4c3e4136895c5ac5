package io.github.distlock.simulator.redis;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one server, and their latest changes, so that a restart can lose these. Values are immutable. A key
 * expires when somebody looks at it after its time, by the server's clock.
 *
 * <p>Texts have one character for each byte.
 */
final class Keyspace {
    private static final long NEVER = Long.MAX_VALUE;

    private final LongSupplier millis;
    private final LongSupplier trueNanos;
    private final long rememberedNanos;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Deque<Change> changes = new ArrayDeque<>();
    private final Set<String> everWritten = new HashSet<>();

    /**
     * A key's value, which is a {@code String} or a {@link SortedSet}.
     *
     * @param expiresAt milliseconds since 1970
     */
    private record Entry(Object value, long expiresAt) {}

    /** What a key had before a change. */
    private record Change(long at, String key, @Nullable Entry before) {}

    /**
     * Makes an empty keyspace.
     *
     * @param millis the server's clock
     * @param trueNanos the time by which changes are remembered
     * @param rememberedNanos for how long
     */
    Keyspace(LongSupplier millis, LongSupplier trueNanos, long rememberedNanos) {
        this.millis = millis;
        this.trueNanos = trueNanos;
        this.rememberedNanos = rememberedNanos;
    }

    private @Nullable Entry entry(String key) {
        Entry found = entries.get(key);
        if (found != null && millis.getAsLong() > found.expiresAt) {
            put(key, null);
            return null;
        }
        return found;
    }

    private void put(String key, @Nullable Entry entry) {
        Entry before = entry == null ? entries.remove(key) : entries.put(key, entry);
        if (before == null) {
            everWritten.add(key);
        }
        if (rememberedNanos > 0) {
            long now = trueNanos.getAsLong();
            changes.addLast(new Change(now, key, before));
            while (changes.getFirst().at < now - rememberedNanos) {
                changes.removeFirst();
            }
        }
    }

    @Nullable
    Object value(String key) {
        Entry found = entry(key);
        return found == null ? null : found.value;
    }

    @Nullable
    String string(String key) {
        Object value = value(key);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        throw wrongType();
    }

    /** Returns the sorted set of a key, or an empty one. */
    SortedSet set(String key) {
        Object value = value(key);
        if (value == null || value instanceof SortedSet) {
            return value == null ? SortedSet.EMPTY : (SortedSet) value;
        }
        throw wrongType();
    }

    private static RedisError wrongType() {
        return new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
    }

    /** Changes a value. The key expires when it would have. */
    void change(String key, Object value) {
        Entry found = entry(key);
        put(key, new Entry(value, found == null ? NEVER : found.expiresAt));
    }

    /** Writes a value that does not expire. */
    void write(String key, Object value) {
        put(key, new Entry(value, NEVER));
    }

    /** Sets when a key expires that exists. */
    void expire(String key, long at) {
        Entry found = entry(key);
        if (found != null) {
            put(key, at <= millis.getAsLong() ? null : new Entry(found.value, at));
        }
    }

    /** Returns for how long a key still exists, in milliseconds: -1 without an expiry, -2 without the key. */
    long left(String key) {
        Entry found = entry(key);
        if (found == null) {
            return -2;
        }
        return found.expiresAt == NEVER ? -1 : found.expiresAt - millis.getAsLong();
    }

    /** Returns whether there was such a key. */
    boolean delete(String key) {
        boolean found = entry(key) != null;
        if (found) {
            put(key, null);
        }
        return found;
    }

    /** Moves a key to another keyspace, if it exists. It expires there when it would have here. */
    void move(String key, Keyspace to) {
        Entry found = entry(key);
        if (found != null) {
            long left = left(key);
            put(key, null);
            to.put(key, new Entry(found.value, left < 0 ? NEVER : to.millis.getAsLong() + left));
        }
    }

    /** Returns all keys, in the order of their bytes. */
    List<String> keys() {
        return List.copyOf(entries.keySet()).stream()
                .filter(key -> entry(key) != null)
                .sorted()
                .toList();
    }

    /** Returns whether all keys with some ending still exist that have ever been written. */
    boolean keepsAll(String ending) {
        return everWritten.stream().filter(key -> key.endsWith(ending)).allMatch(key -> entry(key) != null);
    }

    /** Undoes all changes since a true time, as far as they are remembered. */
    void goBack(long toNanos) {
        while (!changes.isEmpty() && changes.getLast().at >= toNanos) {
            Change last = changes.removeLast();
            if (last.before == null) {
                entries.remove(last.key);
            } else {
                entries.put(last.key, last.before);
            }
        }
    }

    void clear() {
        entries.clear();
        changes.clear();
    }
}
