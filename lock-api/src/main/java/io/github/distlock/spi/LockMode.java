package io.github.distlock.spi;

/**
 * How a hold shares a lock with others. Made by {@link #permits} or taken from the constants; components may be added.
 *
 * @param kind exclusive, shared or permits
 * @param count the permits wanted; 0 unless permits
 * @param limit the permits that there are; 0 unless permits
 */
public record LockMode(Kind kind, int count, int limit) {

    /** One holder, nobody beside it. */
    public static final LockMode EXCLUSIVE = new LockMode(Kind.EXCLUSIVE, 0, 0);

    /** Any number of shared holders, no exclusive one beside them. Needs {@link Capability#SHARED}. */
    public static final LockMode SHARED = new LockMode(Kind.SHARED, 0, 0);

    /** The kinds of modes. */
    public enum Kind {
        /** One holder. */
        EXCLUSIVE,
        /** Any number of shared holders. */
        SHARED,
        /** Holders of permits out of a bounded number. */
        PERMITS
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
        return new LockMode(Kind.PERMITS, count, limit);
    }
}
