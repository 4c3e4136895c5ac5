package io.github.distlock.examples.flashsale;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.h2.tools.Server;

/**
 * The stock that the sale reads, modifies and writes: an SQL database with one row per sale. Each write contains a
 * fencing token. The row refuses a write whose token is smaller than the greatest one that the row has seen.
 */
final class Stock implements AutoCloseable {
    private final Connection database;
    private final Map<String, PreparedStatement> statements = new HashMap<>();

    private Stock(Connection database) {
        this.database = database;
    }

    /** Starts a server for this process and its children, on the loopback address. */
    static Server startServer() throws SQLException {
        System.setProperty("h2.bindAddress", "127.0.0.1");
        return Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
    }

    static String url(Server server) {
        return "jdbc:h2:tcp://127.0.0.1:" + server.getPort() + "/mem:shop;DB_CLOSE_DELAY=-1";
    }

    static Stock connect(String url) throws SQLException {
        return new Stock(DriverManager.getConnection(url));
    }

    void createTables() throws SQLException {
        update("CREATE TABLE stock (sale VARCHAR PRIMARY KEY, pieces INT NOT NULL, fence BIGINT NOT NULL)");
        update("CREATE TABLE sold (sale VARCHAR NOT NULL)");
    }

    void open(String sale, int pieces) throws SQLException {
        update("INSERT INTO stock VALUES (?, ?, 0)", sale, pieces);
    }

    int left(String sale) throws SQLException {
        return query("SELECT pieces FROM stock WHERE sale = ?", sale);
    }

    int sold(String sale) throws SQLException {
        return query("SELECT COUNT(*) FROM sold WHERE sale = ?", sale);
    }

    /** Writes the stock that is left. Returns false if a holder with a greater token has written before. */
    boolean write(String sale, int pieces, long fencingToken) throws SQLException {
        return update(
                        "UPDATE stock SET pieces = ?, fence = ? WHERE sale = ? AND fence <= ?",
                        pieces,
                        fencingToken,
                        sale,
                        fencingToken)
                == 1;
    }

    void recordSold(String sale) throws SQLException {
        update("INSERT INTO sold VALUES (?)", sale);
    }

    private int update(String sql, Object... values) throws SQLException {
        return statement(sql, values).executeUpdate();
    }

    private int query(String sql, Object... values) throws SQLException {
        try (ResultSet rows = statement(sql, values).executeQuery()) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private PreparedStatement statement(String sql, Object... values) throws SQLException {
        PreparedStatement statement = statements.get(sql);
        if (statement == null) {
            statement = database.prepareStatement(sql);
            statements.put(sql, statement);
        }
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }

    @Override
    public void close() throws SQLException {
        database.close();
    }
}
