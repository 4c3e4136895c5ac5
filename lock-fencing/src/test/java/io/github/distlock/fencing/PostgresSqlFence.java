package io.github.distlock.fencing;

import io.github.distlock.fencing.DatabaseServer.Launch;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The rules on PostgreSQL. {@code .ci/extended} runs this, and brings the server. */
class PostgresSqlFence extends SqlFenceRules {
    private static final String BINARY = System.getProperty("lock.postgresql.binary", "postgres");

    @RegisterExtension
    static final DatabaseServer SERVER = new DatabaseServer(PostgresSqlFence::launch);

    private static Launch launch(Path directory, int port) {
        String data = directory.resolve("data").toString();
        String initdb = Path.of(BINARY).resolveSibling("initdb").toString();
        DatabaseServer.run(
                "Success. ", initdb, "--username=fence", "--auth=trust", "--no-sync", "--no-locale", "-D", data);
        return new Launch(
                "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=fence",
                List.of(
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
                        "fsync=off"));
    }

    @Override
    Connection connect() throws SQLException {
        return SERVER.connect();
    }

    @Override
    String waitingTransactions() {
        return "SELECT 1 FROM pg_locks WHERE NOT granted";
    }
}
