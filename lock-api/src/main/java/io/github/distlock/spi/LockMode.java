package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import java.util.Objects;

/** How a hold shares a lock with others. Immutable. */
public final class LockMode {
    /** One holder of a lock, and no other. */
    public static final LockMode EXCLUSIVE = new LockMode(Kind.EXCLUSIVE, 0, 0);

    /** Any number of readers of a read-write lock, and no writer. Needs {@link Capability#READ_WRITE}. */
    public static final LockMode READ = new LockMode(Kind.READ, 0, 0);

    /** One writer of a read-write lock, and no other holder. Needs {@link Capability#READ_WRITE}. */
    public static final LockMode WRITE = new LockMode(Kind.WRITE, 0, 0);

    private final Kind kind;
    private final int count;
    private final int limit;

    /** The kinds of modes. */
    public enum Kind {
        /** One holder of a lock. */
        EXCLUSIVE,
        /** Any number of readers. */
        READ,
        /** One writer. */
        WRITE,
        /** Holders of permits out of a bounded number. */
        PERMITS
    }

    private LockMode(Kind kind, int count, int limit) {
        this.kind = requireNonNull(kind, "kind");
        this.count = count;
        this.limit = limit;
    }

    /**
     * Returns the mode of permits out of a bounded number. Needs {@link Capability#PERMITS}.
     *
     * @param count how many permits at once, at least 1
     * @param limit how many there are, at least {@code count}
     * @return the mode
     * @throws IllegalArgumentException if a number is out of its bounds
     */
    public static LockMode permits(int count, int limit) {
        if (count < 1 || limit < count) {
            throw new IllegalArgumentException("count must be from 1 to limit, but was " + count + " of " + limit);
        }
        return new LockMode(Kind.PERMITS, count, limit);
    }

    /**
     * Returns the kind.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * Returns what the name is used as.
     *
     * @return the kind of lock to which this mode belongs
     */
    public LockKind lockKind() {
        return switch (kind) {
            case EXCLUSIVE -> LockKind.LOCK;
            case READ, WRITE -> LockKind.READ_WRITE_LOCK;
            case PERMITS -> LockKind.SEMAPHORE;
        };
    }

    /**
     * Returns how many permits a hold has.
     *
     * @return at least 1 for {@link Kind#PERMITS}, else 0
     */
    public int count() {
        return count;
    }

    /**
     * Returns how many permits there are.
     *
     * @return at least {@link #count()} for {@link Kind#PERMITS}, else 0
     */
    public int limit() {
        return limit;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockMode mode && kind == mode.kind && count == mode.count && limit == mode.limit;
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, count, limit);
    }

    @Override
    public String toString() {
        return kind == Kind.PERMITS ? count + " of " + limit + " permits" : kind.toString();
    }
}
