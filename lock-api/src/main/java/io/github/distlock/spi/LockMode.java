package io.github.distlock.spi;

import java.util.Objects;

/** How a hold shares a lock with others. Immutable; equal when the mode and its numbers are. */
public final class LockMode {

    /** One holder, nobody beside it. */
    public static final LockMode EXCLUSIVE = new LockMode("exclusive", 0, 0);

    /** Any number of shared holders, no exclusive one beside them. Needs {@link Capability#SHARED}. */
    public static final LockMode SHARED = new LockMode("shared", 0, 0);

    private final String kind;
    private final int count;
    private final int limit;

    private LockMode(String kind, int count, int limit) {
        this.kind = kind;
        this.count = count;
        this.limit = limit;
    }

    /**
     * Some permits out of a bounded number. Needs {@link Capability#PERMITS}.
     *
     * @param count how many at once, at least 1
     * @param limit how many there are, at least {@code count}
     * @return the mode
     * @throws IllegalArgumentException when the numbers are out of their bounds
     */
    public static LockMode permits(int count, int limit) {
        if (count < 1 || limit < count) {
            throw new IllegalArgumentException("count must be from 1 to limit, but was " + count + " of " + limit);
        }
        return new LockMode("permits", count, limit);
    }

    /**
     * The permits wanted.
     *
     * @return 0 unless made by {@link #permits}
     */
    public int count() {
        return count;
    }

    /**
     * The permits that there are.
     *
     * @return 0 unless made by {@link #permits}
     */
    public int limit() {
        return limit;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockMode mode && mode.kind.equals(kind) && mode.count == count && mode.limit == limit;
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, count, limit);
    }

    @Override
    public String toString() {
        return limit == 0 ? kind : count + " of " + limit + " permits";
    }
}
