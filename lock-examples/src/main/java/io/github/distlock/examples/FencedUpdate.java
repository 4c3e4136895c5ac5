package io.github.distlock.examples;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/** Shows an SQL row that refuses the late write of an earlier holder, with one column and one condition. */
public final class FencedUpdate {
    private static final String UPDATE = "UPDATE account SET balance = ?, fence = ? WHERE id = ? AND fence <= ?";

    private FencedUpdate() {}

    static void createTable(Connection database) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, fence BIGINT NOT NULL)");
            statement.execute("INSERT INTO account VALUES (7, 100, 0)");
        }
    }

    /** Writes a balance. Returns false if a holder with a greater fencing token has written before. */
    static boolean setBalance(Connection database, int id, int balance, long fencingToken) throws SQLException {
        try (PreparedStatement update = database.prepareStatement(UPDATE)) {
            update.setInt(1, balance);
            update.setLong(2, fencingToken);
            update.setInt(3, id);
            update.setLong(4, fencingToken);
            return update.executeUpdate() == 1;
        }
    }

    /**
     * Acquires the lock twice, and writes as the second holder. Then writes too late, as the first holder.
     *
     * @param arguments the address of a Redis server
     * @throws SQLException if the database fails
     * @throws InterruptedException if the thread is interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws SQLException, InterruptedException {
        try (LockClient locks = LockClient.create(RedisBackend.connect(arguments[0]));
                Connection database = DriverManager.getConnection("jdbc:h2:mem:")) {
            createTable(database);
            LockHandle first = locks.lock("account/7").acquire();
            first.close();
            try (LockHandle second = locks.lock("account/7").acquire()) {
                System.out.println("second writes: " + setBalance(database, 7, 80, second.fencingToken()));
                System.out.println("first, too late, writes: " + setBalance(database, 7, 90, first.fencingToken()));
            }
        }
    }
}
