package io.github.distlock.examples.fencing;

import io.github.distlock.fencing.SqlFence;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Balances in rows of a database, and their fences in a table beside. */
final class SqlAccount implements Account {
    private static final int FENCED = 7;
    private static final int UNFENCED = 8;

    private final Connection database;
    private final SqlFence fence = new SqlFence();

    SqlAccount(Connection database) {
        this.database = database;
    }

    void create() throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(fence.createTable());
            statement.execute("CREATE TABLE account (id INT PRIMARY KEY, balance VARCHAR(9) NOT NULL)");
            statement.execute("INSERT INTO account VALUES (7, '100'), (8, '100')");
        }
    }

    @Override
    public void write(String balance, long token) throws SQLException {
        database.setAutoCommit(false);
        try {
            fence.check(database, "account/7", token);
            update(FENCED, balance);
            database.commit();
        } finally {
            database.rollback(); // Does nothing after the commit.
            database.setAutoCommit(true);
        }
    }

    @Override
    public void writeUnfenced(String balance) throws SQLException {
        update(UNFENCED, balance);
    }

    private void update(int id, String balance) throws SQLException {
        try (PreparedStatement update = database.prepareStatement("UPDATE account SET balance = ? WHERE id = ?")) {
            update.setString(1, balance);
            update.setInt(2, id);
            update.executeUpdate();
        }
    }

    @Override
    public String balance() throws SQLException {
        return read(FENCED);
    }

    @Override
    public String unfencedBalance() throws SQLException {
        return read(UNFENCED);
    }

    private String read(int id) throws SQLException {
        try (PreparedStatement query = database.prepareStatement("SELECT balance FROM account WHERE id = ?")) {
            query.setInt(1, id);
            try (ResultSet rows = query.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }
}
