package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.github.distlock.fencing.DatabaseServer.Launch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The rules on MariaDB. {@code .ci/extended} runs this, and brings the server. */
class MariaDbSqlFence extends SqlFenceRules {
    private static final String BINARY = System.getProperty("lock.mariadb.binary", "mariadbd");

    @RegisterExtension
    static final DatabaseServer SERVER = new DatabaseServer(MariaDbSqlFence::launch);

    private static Launch launch(Path directory, int port) throws IOException {
        Path data = DatabaseServer.open(Files.createDirectory(directory.resolve("data")));
        // Without the tables of users, whoever can connect has all rights.
        return new Launch(
                "jdbc:mariadb://127.0.0.1:" + port + "/fence?createDatabaseIfNotExist=true",
                List.of(
                        BINARY,
                        "--no-defaults",
                        "--skip-grant-tables",
                        "--datadir=" + data,
                        "--socket=" + directory.resolve("socket"),
                        "--pid-file=" + directory.resolve("pid"),
                        "--bind-address=127.0.0.1",
                        "--port=" + port,
                        "--innodb-lock-wait-timeout=30"));
    }

    @Override
    Connection connect() throws SQLException {
        return SERVER.connect();
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
