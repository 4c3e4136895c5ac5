package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules on H2, and those that need no particular database. */
class SqlFenceTest extends SqlFenceRules {
    /** Waits are longer than the limits of the tests. */
    private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";LOCK_TIMEOUT=100000";

    private final SqlFence fence = new SqlFence();

    @Override
    Connection connect() throws SQLException {
        return DriverManager.getConnection(url);
    }

    /** An insertion tries again and again while another transaction has inserted the key. It has no blocker then. */
    @Override
    String waitingTransactions() {
        return "SELECT 1 FROM INFORMATION_SCHEMA.SESSIONS"
                + " WHERE BLOCKER_ID IS NOT NULL OR EXECUTING_STATEMENT LIKE 'INSERT INTO distlock_fence%'";
    }

    @Test
    void api_theTableMayExist() {
        assertThatNoException().isThrownBy(() -> execute(fence.createTable()));
    }

    @Test
    void api_theTableMayHaveAnotherNameAndASchema() throws SQLException {
        SqlFence other = new SqlFence("fences.tokens_2");
        execute("CREATE SCHEMA fences");
        execute(other.createTable());

        try (Connection connection = begin(Isolation.READ_COMMITTED)) {
            other.check(connection, "account/7", 34);
            connection.commit();
            assertThat(other.createTable())
                    .isEqualTo("CREATE TABLE IF NOT EXISTS fences.tokens_2"
                            + " (resource VARCHAR(255) PRIMARY KEY, token BIGINT NOT NULL)");
            execute("DELETE FROM fences.tokens_2 WHERE resource = 'account/7' AND token = 34");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a;b", "a'", "\"a\"", "a-b", ".a", "a.", "a..b", "é", "a\n"})
    void api_aTableHasAPlainName(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SqlFence(name))
                .withMessage("table must have letters, digits and _, with dots between them, but was \"" + name + "\"");
    }

    /** As the default collations of MariaDB and MySQL do. */
    @Test
    void api_aResourceThatTheCollationTakesForAnotherOneIsRefused() throws SQLException {
        SqlFence careless = new SqlFence("careless");
        execute("CREATE TABLE careless (resource VARCHAR_IGNORECASE(255) PRIMARY KEY, token BIGINT NOT NULL)");
        Connection connection = begin(Isolation.READ_COMMITTED);
        careless.check(connection, "account/a", 34);

        assertThatIllegalStateException()
                .isThrownBy(() -> careless.check(connection, "account/A", 35))
                .withMessage("table careless takes resource \"account/A\" for \"account/a\":"
                        + " give its column a binary collation");
    }

    @Test
    void api_aResourceHas1To255Characters() throws SQLException {
        Connection connection = begin(Isolation.READ_COMMITTED);

        assertThatNoException().isThrownBy(() -> fence.check(connection, "x".repeat(255), 1));
        for (String name : new String[] {"", "x".repeat(256)}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> fence.check(connection, name, 1))
                    .withMessage("resource must have 1 to 255 characters, but had " + name.length());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_onlyPositiveTokensAreChecked(long token) throws SQLException {
        Connection connection = begin(Isolation.READ_COMMITTED);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> fence.check(connection, "account/7", token))
                .withMessage("token must be positive, but was " + token);
    }

    @Test
    void api_nullParametersAreNamed() throws SQLException {
        Connection connection = begin(Isolation.READ_COMMITTED);

        assertThatNullPointerException().isThrownBy(() -> new SqlFence(null)).withMessage("table");
        assertThatNullPointerException()
                .isThrownBy(() -> fence.check(null, "account/7", 1))
                .withMessage("connection");
        assertThatNullPointerException()
                .isThrownBy(() -> fence.check(connection, null, 1))
                .withMessage("resource");
    }
}
