package io.github.distlock.fencing;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The rules on PostgreSQL. {@code .ci/extended} runs this, and brings the server. */
class PostgresSqlFence extends SqlFenceRules {
    private static final String BINARY = System.getProperty("lock.postgresql.binary", "postgres");

    @TempDir
    private static Path directory;

    private static DatabaseServer server;

    @BeforeAll
    static void start() throws IOException {
        String data = DatabaseServer.open(directory).resolve("data").toString();
        String initdb = Path.of(BINARY).resolveSibling("initdb").toString();
        DatabaseServer.run(
                "Success. ", initdb, "--username=fence", "--auth=trust", "--no-sync", "--no-locale", "-D", data);
        int port = DatabaseServer.freePort();
        server = DatabaseServer.start(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=fence",
                BINARY,
                "-D",
                data,
                "-p",
                String.valueOf(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    Connection connect() throws SQLException {
        return DriverManager.getConnection(server.url());
    }

    @Override
    String waitingTransactions() {
        return "SELECT 1 FROM pg_locks WHERE NOT granted";
    }
}
