/**
 * The receiving side of fencing: rejects late requests of earlier holders of a lock.
 *
 * <p>Start at {@link io.github.distlock.fencing.FencingGuard} for resources in memory, and at
 * {@link io.github.distlock.fencing.SqlFence} for those in a database. Only {@code SqlFence} needs the module
 * {@code java.sql}.
 */
module io.github.distlock.fencing {
    requires static transitive java.sql;
    requires static org.jspecify;

    exports io.github.distlock.fencing;
}
