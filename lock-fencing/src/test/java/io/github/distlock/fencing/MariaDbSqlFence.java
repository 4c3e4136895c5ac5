package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rules on MariaDB. {@code .ci/extended} runs this, and brings the server. */
class MariaDbSqlFence extends SqlFenceRules {
    private static final String BINARY = System.getProperty("lock.mariadb.binary", "mariadbd");

    @TempDir
    private static Path directory;

    private static DatabaseServer server;

    @BeforeAll
    static void start() throws IOException {
        Path files = DatabaseServer.open(directory);
        Path data = DatabaseServer.open(Files.createDirectory(files.resolve("data")));
        int port = DatabaseServer.freePort();
        // Without the tables of users, whoever can connect has all rights.
        server = DatabaseServer.start(
                "jdbc:mariadb://127.0.0.1:" + port + "/fence?createDatabaseIfNotExist=true",
                BINARY,
                "--no-defaults",
                "--skip-grant-tables",
                "--datadir=" + data,
                "--socket=" + files.resolve("socket"),
                "--pid-file=" + files.resolve("pid"),
                "--bind-address=127.0.0.1",
                "--port=" + port,
                "--innodb-lock-wait-timeout=30");
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
        return "SELECT 1 FROM information_schema.GLOBAL_STATUS"
                + " WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_CURRENT_WAITS' AND VARIABLE_VALUE <> '0'";
    }

    @Test
    void api_namesThatTheDefaultCollationTakesForOneAreRefused() throws SQLException {
        SqlFence fence = new SqlFence();
        Connection connection = begin(Isolation.REPEATABLE_READ);
        fence.check(connection, "collation/a", 34);

        assertThatIllegalStateException()
                .isThrownBy(() -> fence.check(connection, "collation/A", 35))
                .withMessageContaining("\"collation/A\" for \"collation/a\"");
        assertThatIllegalStateException()
                .isThrownBy(() -> fence.check(connection, "collation/a ", 35))
                .withMessageContaining("\"collation/a \" for \"collation/a\"");
    }

    @Test
    void api_aBinaryCollationTellsNamesApart() throws SQLException {
        SqlFence fence = new SqlFence("exact_fence");
        execute("CREATE TABLE IF NOT EXISTS exact_fence (resource VARCHAR(255) CHARACTER SET utf8mb4"
                + " COLLATE utf8mb4_bin PRIMARY KEY, token BIGINT NOT NULL)");
        Connection connection = begin(Isolation.REPEATABLE_READ);
        fence.check(connection, "collation/a", 34);

        assertThatNoException().isThrownBy(() -> fence.check(connection, "collation/A", 33));
    }
}
