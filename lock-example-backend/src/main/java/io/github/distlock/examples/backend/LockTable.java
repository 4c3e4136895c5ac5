package io.github.distlock.examples.backend;

import java.time.Duration;

/**
 * One row for each lock, and what is done to it. Each decision is one statement that commits by itself, so that no
 * client stands between a question and its answer with a row locked; all time is the database's, in microseconds since
 * 1970.
 *
 * <p>Why this is safe: {@code GRANT} alone makes a holder, of a row that has none or whose holder's time is over, and
 * its condition is checked again once the row is locked. The row has the last fencing base and outlives the hold by an
 * hour; the next base is above it, and not below the database's clock, so that bases rise even where the row was lost.
 * A contender that has ended while an answer was missing is noted in the row: its late requests find themselves there
 * and do nothing.
 *
 * <p>{@code turn} is the one waiter that comes next. Without it, a client that takes the lock again at once would
 * starve those who look now and then. The others have no order, so this is not fair.
 */
final class LockTable {
    /** How long a turn is kept for a waiter that does not ask. */
    static final Duration TURN = Duration.ofSeconds(1);

    /** Names are bytes: no collation, no normal form and no forbidden character makes one lock of two. */
    static final String CREATE = """
            CREATE TABLE IF NOT EXISTS {table} (
              name VARBINARY(1024) PRIMARY KEY, holder VARCHAR NOT NULL, base BIGINT NOT NULL, expires BIGINT NOT NULL,
              owner VARCHAR NOT NULL, turn VARCHAR NOT NULL, turn_expires BIGINT NOT NULL, ended VARCHAR NOT NULL)""";

    /** ?1 name. A row when there was none. */
    static final String INSERT = """
            INSERT INTO {table} SELECT CAST(?1 AS VARBINARY), '', {now}, 0, '', '', 0, ''
            WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE name = ?1)""";

    /** Rows without a use for an hour. What they remember is behind the clock by then. */
    static final String SWEEP = """
            DELETE FROM {table} WHERE base < {now} - 3600000000 AND expires <= {now} AND turn_expires <= {now}""";

    /** ?1 name, ?2 contender, ?3 lease, ?4 owner. The base when the lock is the contender's now. */
    static final String GRANT = """
            SELECT base FROM FINAL TABLE (UPDATE {table} SET
              base = CASE holder WHEN ?2 THEN base ELSE GREATEST({now}, base + 1) END,
              holder = ?2, expires = GREATEST(expires, {now} + ?3), owner = ?4,
              turn_expires = CASE turn WHEN ?2 THEN 0 ELSE turn_expires END
            WHERE name = ?1 AND LOCATE(?2, ended) = 0
              AND (holder = ?2 OR (expires <= {now} AND (turn = ?2 OR turn_expires <= {now}))))""";

    /** ?1 name, ?2 contender, ?3 how long. The contender comes next, unless another does. */
    static final String QUEUE = """
            UPDATE {table} SET turn = ?2, turn_expires = {now} + ?3
            WHERE name = ?1 AND LOCATE(?2, ended) = 0 AND (turn = ?2 OR turn_expires <= {now})""";

    /** ?1 name, ?2 contender, ?3 lease. A renewal that comes late does not shorten what a longer one has set. */
    static final String RENEW = """
            UPDATE {table} SET expires = GREATEST(expires, {now} + ?3)
            WHERE name = ?1 AND holder = ?2 AND expires > {now}""";

    /**
     * ?1 name, ?2 contender, ?3 whether a request of it may come late, ?4 how long the lock stays kept. Whether it was
     * the holder. A kept lock has no holder and is not over.
     */
    static final String END = """
            SELECT holder = ?2 AND expires > {now} FROM OLD TABLE (UPDATE {table} SET
              expires = CASE WHEN holder <> ?2 THEN expires WHEN ?4 = 0 OR expires <= {now} THEN 0
                ELSE {now} + ?4 END,
              holder = CASE holder WHEN ?2 THEN '' ELSE holder END,
              turn_expires = CASE turn WHEN ?2 THEN 0 ELSE turn_expires END,
              ended = CASE WHEN ?3 THEN LEFT(?2 || ' ' || ended, 4000) ELSE ended END
            WHERE name = ?1)""";

    /** ?1 name. Owner, base, how long the row counts, and whether it has a holder. Without one, the lock is kept. */
    static final String INSPECT = """
            SELECT owner, base, expires - {now}, holder <> '' FROM {table} WHERE name = ?1 AND expires > {now}""";

    /** ?1 prefix, ?2 name after which the page begins, ?3 its length. Names in use: held, kept, or with a turn. */
    static final String LIST = """
            SELECT name FROM {table}
            WHERE SUBSTRING(name, 1, LENGTH(CAST(?1 AS VARBINARY))) = ?1 AND name > ?2
              AND (expires > {now} OR turn_expires > {now})
            ORDER BY name LIMIT ?3""";

    /** ?1 name, ?2 the base of the only hold to end, 0 for whatever there is. The same, of what it has ended. */
    static final String FORCE_RELEASE = """
            SELECT owner, base, expires - {now}, holder <> '' FROM OLD TABLE (
              UPDATE {table} SET holder = '', expires = 0
              WHERE name = ?1 AND expires > {now} AND (?2 = 0 OR (base = ?2 AND holder <> '')))""";

    private static final String NOW = "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP(6)) * 1000000 AS BIGINT)";

    private LockTable() {}

    static String sql(String statement, String table) {
        return statement.replace("{table}", table).replace("{now}", NOW);
    }

    /** Rounded up, so that the database never keeps a hold for less than its holder believes. */
    static long micros(Duration time) {
        return (time.toNanos() + 999) / 1_000;
    }
}
