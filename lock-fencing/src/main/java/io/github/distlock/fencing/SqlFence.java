package io.github.distlock.fencing;

import static java.util.Objects.requireNonNull;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * Rejects late transactions by their fencing tokens. A table keeps the greatest token of each resource, so the
 * transactions may write whatever belongs to the resource. PostgreSQL, MariaDB and H2 are tested. MySQL gets the
 * statements of MariaDB.
 *
 * <pre>{@code
 * connection.setAutoCommit(false);
 * fence.check(connection, "account/7", token);
 * // Read and write the rows of the account.
 * connection.commit();
 * }</pre>
 *
 * The caller has to
 *
 * <ul>
 *   <li>create the table ({@link #createTable()}), with the rights to select, insert and update. Delete a row only
 *       after no late request for its resource can come;
 *   <li>call {@link #check} first in each transaction that writes to the resource;
 *   <li>commit the writes in the same transaction, and roll it back if {@code check} throws anything;
 *   <li>use isolation level READ COMMITTED or a stricter one. With READ COMMITTED, what the transaction reads after the
 *       check includes the writes of all transactions before it. A stricter level can show what was there before the
 *       check waited;
 *   <li>use the tokens of one lock for a resource. Tokens of different locks, and those of permits, have no order.
 * </ul>
 *
 * <p>All transactions must go to one primary. A cluster that accepts writes on several servers, such as Galera, locks
 * rows on one of them only. A failover that loses committed transactions loses their tokens, too.
 *
 * <p>On MariaDB and MySQL, the default collations take {@code a} for {@code A}. If two names of resources differ only
 * so, the second one is refused. To allow such names, create the column with {@code CHARACTER SET utf8mb4 COLLATE
 * utf8mb4_bin}.
 *
 * <h2>Without this class</h2>
 *
 * If the rows themselves have a column for the token, one statement checks and writes. It needs no transaction:
 *
 * <pre>{@code
 * UPDATE account SET balance = ?, fence = ? WHERE id = ? AND fence <= ?
 * }</pre>
 *
 * If it changes no row, the token is stale or the row does not exist. Connections to MariaDB and MySQL must not set
 * {@code useAffectedRows}, because a repeated statement would count 0 rows.
 *
 * <p>The class itself sends
 *
 * <pre>{@code
 * SELECT resource, token FROM distlock_fence WHERE resource = ? FOR UPDATE
 * UPDATE distlock_fence SET token = ? WHERE resource = ?         -- if the token is greater
 *
 * -- If there is no row, before a second SELECT. On MariaDB and MySQL, always before the first:
 * INSERT INTO distlock_fence (resource, token) VALUES (?, ?)     -- H2 undoes only the statement if the row exists
 *   ON CONFLICT (resource) DO NOTHING                            -- PostgreSQL
 *   ON DUPLICATE KEY UPDATE token = token                        -- MariaDB, MySQL
 * }</pre>
 *
 * <h2>Concurrency</h2>
 *
 * Instances are immutable. The row of a resource is locked from the check to the end of the transaction. So the
 * transactions of a resource come one after the other, and each one compares its token with those of all that have
 * committed before it. This also applies to the first two. Both insert the row, the second insertion waits for the end
 * of the first transaction, and the {@code SELECT} then finds the row of the first one. If the isolation level hides
 * that row, the database or this class throws an error with an SQL state of class 40. The transaction can be repeated.
 * MariaDB from 11.6.2 on throws error 1020 with another SQL state, which also means this. Version 10.11 is tested.
 *
 * <p>On MariaDB and MySQL, a {@code SELECT … FOR UPDATE} that finds no row locks the gap in the index. Then the first
 * uses of different resources would wait for each other, and end in a deadlock. So the insertion comes first there. It
 * locks the row, and no gap.
 */
public final class SqlFence {
    private static final Pattern TABLE = Pattern.compile("[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*");
    private static final int LONGEST_RESOURCE = 255;
    private static final String DUPLICATE_KEY = "23505";
    private static final String SERIALIZATION_FAILURE = "40001";

    private final String table;

    /** Makes a fence that keeps the tokens in the table {@code distlock_fence}. */
    public SqlFence() {
        this("distlock_fence");
    }

    /**
     * Makes a fence that keeps the tokens in another table.
     *
     * @param table its name of letters, digits and {@code _}, which may follow a schema and a dot. Statements contain
     *     it without quotes.
     * @throws IllegalArgumentException if that cannot be the name of a table
     */
    public SqlFence(String table) {
        if (!TABLE.matcher(requireNonNull(table, "table")).matches()) {
            throw new IllegalArgumentException(
                    "table must have letters, digits and _, with dots between them, but was \"" + table + "\"");
        }
        this.table = table;
    }

    /**
     * Returns the statement that creates the table unless it exists. Execute it once, before the first check.
     *
     * @return a statement for all supported databases
     */
    public String createTable() {
        return "CREATE TABLE IF NOT EXISTS " + table + " (resource VARCHAR(" + LONGEST_RESOURCE
                + ") PRIMARY KEY, token BIGINT NOT NULL)";
    }

    /**
     * Checks that no transaction with a greater token was committed for this resource, and keeps others from it until
     * the end of this transaction. Waits while another transaction does so. The database limits this wait.
     *
     * @param connection a connection within a transaction, or at its begin
     * @param resource what the tokens of one lock guard, in 1 to 255 characters
     * @param token the token of the request, which is positive
     * @throws StaleTokenException if there was a greater token
     * @throws SQLException if the database reports an error, such as a deadlock or the end of a wait
     * @throws IllegalArgumentException if the connection is in auto-commit mode, or another parameter is out of range
     * @throws IllegalStateException if the column's collation takes the resource for another one
     */
    public void check(Connection connection, String resource, long token) throws SQLException {
        requireNonNull(connection, "connection");
        if (requireNonNull(resource, "resource").isEmpty() || resource.length() > LONGEST_RESOURCE) {
            throw new IllegalArgumentException(
                    "resource must have 1 to " + LONGEST_RESOURCE + " characters, but had " + resource.length());
        }
        FencingToken.requirePositive(token);
        if (connection.getAutoCommit()) {
            throw new IllegalArgumentException("connection must not be in auto-commit mode");
        }
        long highest = lockRow(connection, resource, token);
        if (token < highest) {
            throw new StaleTokenException(resource, token, OptionalLong.of(highest));
        }
        if (token > highest) {
            store(connection, resource, token);
        }
    }

    /** Locks the row of the resource, and returns its token. Inserts the row with this token if there is none. */
    private long lockRow(Connection connection, String resource, long token) throws SQLException {
        String database = connection.getMetaData().getDatabaseProductName();
        boolean locksGaps = database.equals("MariaDB") || database.equals("MySQL");
        OptionalLong found = locksGaps ? OptionalLong.empty() : find(connection, resource);
        if (found.isEmpty()) {
            insertUnlessItExists(connection, database, resource, token);
            found = find(connection, resource);
        }
        return found.orElseThrow(() -> new SQLTransactionRollbackException(
                "the isolation level hides the row of resource \"" + resource + "\", which is new",
                SERIALIZATION_FAILURE));
    }

    private OptionalLong find(Connection connection, String resource) throws SQLException {
        String sql = "SELECT resource, token FROM " + table + " WHERE resource = ? FOR UPDATE";
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            select.setString(1, resource);
            try (ResultSet rows = select.executeQuery()) {
                if (!rows.next()) {
                    return OptionalLong.empty();
                }
                String name = rows.getString(1);
                if (!resource.equals(name)) {
                    throw new IllegalStateException("table " + table + " takes resource \"" + resource + "\" for \""
                            + name + "\": give its column a binary collation");
                }
                return OptionalLong.of(rows.getLong(2));
            }
        }
    }

    private void insertUnlessItExists(Connection connection, String database, String resource, long token)
            throws SQLException {
        String sql = "INSERT INTO " + table + " (resource, token) VALUES (?, ?)"
                + switch (database) {
                    case "PostgreSQL" -> " ON CONFLICT (resource) DO NOTHING";
                    case "MariaDB", "MySQL" -> " ON DUPLICATE KEY UPDATE token = token";
                    default -> "";
                };
        try (PreparedStatement insert = connection.prepareStatement(sql)) {
            insert.setString(1, resource);
            insert.setLong(2, token);
            insert.executeUpdate();
        } catch (SQLException e) {
            if (!DUPLICATE_KEY.equals(e.getSQLState())) {
                throw e;
            }
        }
    }

    private void store(Connection connection, String resource, long token) throws SQLException {
        String sql = "UPDATE " + table + " SET token = ? WHERE resource = ?";
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            update.setLong(1, token);
            update.setString(2, resource);
            update.executeUpdate();
        }
    }
}
