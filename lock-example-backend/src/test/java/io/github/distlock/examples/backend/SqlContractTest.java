package io.github.distlock.examples.backend;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.ServerFixture;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract of backends, for locks in an SQL database. */
@Execution(ExecutionMode.CONCURRENT)
public class SqlContractTest extends LockContract implements BackendFactory {
    @Override
    public SqlBackend backend(String address, String space) {
        return SqlBackend.connect(H2Server.url(address), space);
    }

    @Override
    protected BackendFixture newFixture() {
        return new ServerFixture<>(H2Server::start, this) {
            @Override
            public void lose(String name) throws SQLException {
                server().ask("DELETE FROM " + space() + " WHERE name = ?", name.getBytes(UTF_8));
            }

            @Override
            public List<String> leftovers() throws SQLException {
                return server().ask(LockTable.sql(
                        "SELECT owner FROM {table} WHERE {now} < GREATEST(expires, turn_expires)", space()));
            }
        };
    }
}
