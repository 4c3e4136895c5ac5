package io.github.distlock.fencing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.distlock.tests.waiting.Waiting;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@link SqlFence} does on each database. A subclass connects to one of them. */
@Timeout(120)
abstract class SqlFenceRules {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String ACCEPTED = "accepted";
    private static final String STALE = "stale";
    /** The class of SQL states in which the database has rolled the transaction back. */
    private static final String ROLLED_BACK = "40";

    private final SqlFence fence = new SqlFence();
    private final String resource = "account/" + UUID.randomUUID();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Connection> connections = new ArrayList<>();
    private Connection observer;

    enum Isolation {
        READ_COMMITTED(Connection.TRANSACTION_READ_COMMITTED),
        REPEATABLE_READ(Connection.TRANSACTION_REPEATABLE_READ),
        SERIALIZABLE(Connection.TRANSACTION_SERIALIZABLE);

        private final int level;

        Isolation(int level) {
            this.level = level;
        }
    }

    abstract Connection connect() throws SQLException;

    /** Returns a query for the transactions that wait for a lock. */
    abstract String waitingTransactions();

    @BeforeEach
    void createTables() throws SQLException {
        observer = open();
        execute(fence.createTable());
        execute("CREATE TABLE IF NOT EXISTS account (id VARCHAR(255) PRIMARY KEY, writer BIGINT NOT NULL)");
        execute("INSERT INTO account VALUES ('" + resource + "', 0)");
    }

    @AfterEach
    void disconnect() throws SQLException {
        threads.shutdownNow();
        for (Connection connection : connections) {
            connection.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void api_aTransactionWithASmallerTokenIsRejected(Isolation isolation) throws SQLException {
        commit(isolation, 34);

        Connection late = begin(isolation);

        assertThatExceptionOfType(StaleTokenException.class)
                .isThrownBy(() -> fence.check(late, resource, 33))
                .satisfies(stale -> {
                    assertThat(stale.resource()).isEqualTo(resource);
                    assertThat(stale.token()).isEqualTo(33);
                    assertThat(stale.highest()).isEqualTo(OptionalLong.of(34));
                });
    }

    @ParameterizedTest
    @EnumSource
    void api_transactionsWithEqualAndGreaterTokensPass(Isolation isolation) throws SQLException {
        commit(isolation, 33);
        commit(isolation, 33);
        commit(isolation, Long.MAX_VALUE);

        assertThat(outcome(begin(isolation), Long.MAX_VALUE - 1)).isEqualTo(STALE);
    }

    @Test
    void api_aTransactionMayCheckItsTokenAgain() throws SQLException {
        Connection transaction = begin(Isolation.READ_COMMITTED);
        fence.check(transaction, resource, 34);

        assertThat(outcome(transaction, 34)).isEqualTo(ACCEPTED);
        assertThat(outcome(transaction, 33)).isEqualTo(STALE);
    }

    @Test
    void api_aRejectedTransactionChangesNothing() throws SQLException {
        commit(Isolation.READ_COMMITTED, 34);
        Connection late = begin(Isolation.READ_COMMITTED);
        assertThat(outcome(late, 33)).isEqualTo(STALE);
        late.commit();

        assertThat(storedToken()).isEqualTo(34);
    }

    @ParameterizedTest
    @EnumSource
    void api_theTokenOfARolledBackTransactionDoesNotCount(Isolation isolation) throws SQLException {
        commit(isolation, 33);
        Connection undone = begin(isolation);
        fence.check(undone, resource, 35);
        undone.rollback();

        assertThat(outcome(begin(isolation), 34)).isEqualTo(ACCEPTED);
    }

    @Test
    void api_resourcesHaveTheirOwnTokens() throws SQLException {
        commit(Isolation.READ_COMMITTED, 34);

        Connection other = begin(Isolation.READ_COMMITTED);
        fence.check(other, resource + "/history", 33);
        other.commit();

        assertThat(storedToken()).isEqualTo(34);
    }

    @ParameterizedTest
    @EnumSource
    void api_aSnapshotFromBeforeHidesNoGreaterToken(Isolation isolation) throws SQLException {
        commit(isolation, 32);

        assertSnapshotHidesNoGreaterToken(isolation);
    }

    @ParameterizedTest
    @EnumSource
    void api_aSnapshotFromBeforeTheFirstUseHidesNoGreaterToken(Isolation isolation) throws SQLException {
        assertSnapshotHidesNoGreaterToken(isolation);
    }

    private void assertSnapshotHidesNoGreaterToken(Isolation isolation) throws SQLException {
        Connection late = begin(isolation);
        assertThat(writer(late)).isZero();

        commit(isolation, 34);

        assertRejected(isolation, outcome(late, 33));
    }

    @ParameterizedTest
    @EnumSource
    void api_aTransactionWaitsForTheOneThatCheckedBefore(Isolation isolation) throws Exception {
        commit(isolation, 32);

        assertTurns(isolation);
    }

    @ParameterizedTest
    @EnumSource
    void api_theFirstTransactionsOfAResourceTakeTurns(Isolation isolation) throws Exception {
        assertTurns(isolation);
    }

    private void assertTurns(Isolation isolation) throws Exception {
        Connection first = begin(isolation);
        fence.check(first, resource, 34);
        Future<String> second = checkWhenItWaits(begin(isolation), 33);

        first.commit();

        assertRejected(isolation, second.get(1, TimeUnit.MINUTES));
        assertThat(storedToken()).isEqualTo(34);
    }

    @Test
    void api_theSecondOfTheFirstTransactionsRaisesTheToken() throws Exception {
        Connection first = begin(Isolation.READ_COMMITTED);
        fence.check(first, resource, 33);
        Connection connection = begin(Isolation.READ_COMMITTED);
        Future<String> second = checkWhenItWaits(connection, 34);

        first.commit();

        assertThat(second.get(1, TimeUnit.MINUTES)).isEqualTo(ACCEPTED);
        connection.commit();
        assertThat(storedToken()).isEqualTo(34);
    }

    @ParameterizedTest
    @EnumSource
    void api_aRolledBackFirstTransactionLeavesNoToken(Isolation isolation) throws Exception {
        Connection first = begin(isolation);
        fence.check(first, resource, 34);
        Connection connection = begin(isolation);
        Future<String> second = checkWhenItWaits(connection, 33);

        first.rollback();

        assertThat(second.get(1, TimeUnit.MINUTES)).isEqualTo(ACCEPTED);
        connection.commit();
        assertThat(storedToken()).isEqualTo(33);
    }

    /** On MariaDB, a search for a missing row would lock the gap into which the next resource is inserted. */
    @ParameterizedTest
    @EnumSource
    void api_theFirstTransactionsOfDifferentResourcesDoNotWaitForEachOther(Isolation isolation) throws SQLException {
        for (int i = 0; i < 3; i++) {
            assertThat(outcome(begin(isolation), resource + "/" + i, 1)).isEqualTo(ACCEPTED);
        }
    }

    @Test
    void api_readsAfterTheCheckSeeTheWritesOfTransactionsBeforeIt() throws Exception {
        commit(Isolation.READ_COMMITTED, 33);
        Connection first = begin(Isolation.READ_COMMITTED);
        fence.check(first, resource, 33);
        execute(first, "UPDATE account SET writer = 33 WHERE id = '" + resource + "'");
        Connection connection = begin(Isolation.READ_COMMITTED);
        Future<String> second = checkWhenItWaits(connection, 34);

        first.commit();

        assertThat(second.get(1, TimeUnit.MINUTES)).isEqualTo(ACCEPTED);
        assertThat(writer(connection)).isEqualTo(33);
    }

    @Test
    void api_aDeadlockIsReportedAsTheErrorThatItIs() throws Exception {
        commit(Isolation.READ_COMMITTED, 1);
        String other = resource + "/history";
        Connection preparation = begin(Isolation.READ_COMMITTED);
        fence.check(preparation, other, 1);
        preparation.commit();
        Connection one = begin(Isolation.READ_COMMITTED);
        Connection another = begin(Isolation.READ_COMMITTED);
        fence.check(one, resource, 2);
        fence.check(another, other, 2);

        Future<String> first = threads.submit(() -> outcomeAndEnd(one, other, 2));
        awaitEndOrWait(first);
        Future<String> second = threads.submit(() -> outcomeAndEnd(another, resource, 2));

        List<String> outcomes = List.of(first.get(1, TimeUnit.MINUTES), second.get(1, TimeUnit.MINUTES));
        assertThat(outcomes).containsOnlyOnce(ACCEPTED);
        assertThat(outcomes).anyMatch(outcome -> outcome.startsWith(ROLLED_BACK));
    }

    /** Each transaction reads and writes the row of its resource. No writer may follow one with a greater token. */
    @Test
    void api_concurrentTransactionsWriteInTheOrderOfTheirTokens() throws Exception {
        int workers = 4;
        int transactions = 100;
        AtomicLong next = new AtomicLong();
        List<Future<Integer>> all = new ArrayList<>();
        for (int worker = 0; worker < workers; worker++) {
            Connection connection = begin(Isolation.READ_COMMITTED);
            all.add(threads.submit(() -> {
                int accepted = 0;
                for (int i = 0; i < transactions; i++) {
                    long token = next.incrementAndGet();
                    if (ThreadLocalRandom.current().nextInt(4) == 0) {
                        LockSupport.parkNanos(1);
                    }
                    String outcome = outcome(connection, token);
                    if (outcome.equals(ACCEPTED)) {
                        assertThat(writer(connection)).isLessThan(token);
                        execute(connection, "UPDATE account SET writer = " + token + " WHERE id = '" + resource + "'");
                        accepted++;
                        connection.commit();
                    } else {
                        assertRejected(outcome);
                        connection.rollback();
                    }
                }
                return accepted;
            }));
        }

        int accepted = 0;
        for (Future<Integer> each : all) {
            accepted += each.get(1, TimeUnit.MINUTES);
        }

        assertThat(accepted).isPositive();
        assertThat(storedToken()).isEqualTo(writer(begin(Isolation.READ_COMMITTED)));
    }

    @Test
    void api_aConnectionInAutoCommitModeIsRefused() throws SQLException {
        Connection connection = open();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> fence.check(connection, resource, 33))
                .withMessage("connection must not be in auto-commit mode");
    }

    @Test
    void api_anErrorOfTheDatabaseIsTheCallers() throws SQLException {
        Connection connection = begin(Isolation.READ_COMMITTED);

        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> new SqlFence("no_such_table").check(connection, resource, 33));
    }

    /** Starts a check in another thread. Returns once it waits for a lock, or has ended. */
    private Future<String> checkWhenItWaits(Connection connection, long token) {
        Future<String> check = threads.submit(() -> outcome(connection, token));
        awaitEndOrWait(check);
        return check;
    }

    private void awaitEndOrWait(Future<?> check) {
        Waiting.await("the check has ended, or waits for a lock", LIMIT, () -> check.isDone() || isAnyWaiting());
    }

    private boolean isAnyWaiting() {
        try (Statement statement = observer.createStatement();
                ResultSet rows = statement.executeQuery(waitingTransactions())) {
            return rows.next();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void assertRejected(Isolation isolation, String outcome) {
        if (isolation == Isolation.READ_COMMITTED) {
            assertThat(outcome).isEqualTo(STALE);
        } else {
            assertRejected(outcome);
        }
    }

    private static void assertRejected(String outcome) {
        assertThat(outcome.equals(STALE) || outcome.startsWith(ROLLED_BACK))
                .as(outcome)
                .isTrue();
    }

    private String outcome(Connection connection, long token) {
        return outcome(connection, resource, token);
    }

    /** Returns what a check has led to: one of the constants, or an SQL state. */
    private String outcome(Connection connection, String name, long token) {
        try {
            fence.check(connection, name, token);
            return ACCEPTED;
        } catch (StaleTokenException e) {
            return STALE;
        } catch (SQLException e) {
            return e.getSQLState() + ": " + e.getMessage();
        }
    }

    private String outcomeAndEnd(Connection connection, String name, long token) throws SQLException {
        String outcome = outcome(connection, name, token);
        connection.rollback();
        return outcome;
    }

    private void commit(Isolation isolation, long token) throws SQLException {
        Connection connection = begin(isolation);
        fence.check(connection, resource, token);
        connection.commit();
    }

    final Connection begin(Isolation isolation) throws SQLException {
        Connection connection = open();
        connection.setTransactionIsolation(isolation.level);
        connection.setAutoCommit(false);
        return connection;
    }

    private Connection open() throws SQLException {
        Connection connection = connect();
        connections.add(connection);
        return connection;
    }

    private long storedToken() throws SQLException {
        return number(observer, "SELECT token FROM distlock_fence WHERE resource = '" + resource + "'");
    }

    private long writer(Connection connection) throws SQLException {
        return number(connection, "SELECT writer FROM account WHERE id = '" + resource + "'");
    }

    private static long number(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            assertThat(rows.next()).as(query).isTrue();
            return rows.getLong(1);
        }
    }

    final void execute(String sql) throws SQLException {
        execute(observer, sql);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
