package io.github.distlock.examples.backend;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLSyntaxErrorException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Bounded requests over a client that blocks. Each request runs on a thread of ours, while its caller waits by the
 * deadline. A request that was given up begins no more; one that has begun ends by the network time-out, and its
 * connection is closed.
 */
final class Database implements AutoCloseable {
    /** H2 sets it on the socket. A client with {@code Connection.abort} would not need it. */
    private static final int NETWORK_TIMEOUT_MILLIS = 1_500;

    private static final int REQUEST_THREADS = 8;
    private static final int RENEWAL_THREADS = 2;
    /** The wrong password, and missing rights. Whatever else is wrong may pass. */
    private static final Set<String> REFUSALS = Set.of("28000", "90096");

    private final String url;
    private final String table;
    private final ThreadPoolExecutor requests;
    private final ThreadPoolExecutor renewals;
    private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    Database(String url, String table, ThreadFactory threads) {
        this.url = url + ";NETWORK_TIMEOUT=" + NETWORK_TIMEOUT_MILLIS;
        this.table = table;
        this.requests = executor(REQUEST_THREADS, threads);
        this.renewals = executor(RENEWAL_THREADS, threads);
    }

    private static ThreadPoolExecutor executor(int most, ThreadFactory threads) {
        ThreadPoolExecutor executor =
                new ThreadPoolExecutor(most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    private interface Request<T> {
        T send(Connection connection) throws SQLException;
    }

    /** The first row that a statement returns, or how many rows it has changed; empty when there is none. */
    List<@Nullable Object> ask(Deadline deadline, String statement, Object... parameters) throws InterruptedException {
        return askEach(deadline, statement, List.<Object[]>of(parameters)).get(0);
    }

    /** The same for each of several parameters, over one connection. */
    List<List<@Nullable Object>> askEach(Deadline deadline, String statement, List<Object[]> parameters)
            throws InterruptedException {
        return await(requests, connection -> askEach(connection, statement, parameters), deadline);
    }

    /** How many rows each has changed. On threads that no acquire can exhaust. */
    int[] askAll(Deadline deadline, String statement, List<Object[]> parameters) throws InterruptedException {
        return await(renewals, connection -> askAll(connection, statement, parameters), deadline);
    }

    /** The first column of all rows that a statement returns. */
    List<Object> askColumn(Deadline deadline, String statement, Object... parameters) throws InterruptedException {
        return await(requests, connection -> askColumn(connection, statement, parameters), deadline);
    }

    private <T> T await(ThreadPoolExecutor threads, Request<T> request, Deadline deadline) throws InterruptedException {
        Future<T> answer = threads.submit(() -> send(request, deadline));
        try {
            return answer.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException("the database has not answered in time", e);
        } catch (ExecutionException e) {
            String words = "the database said: " + e.getCause();
            throw e.getCause() instanceof SQLException error && REFUSALS.contains(error.getSQLState())
                    ? new RequestRefusedException(words, error)
                    : new IllegalStateException(words, e.getCause());
        } finally {
            answer.cancel(false);
        }
    }

    private <T> T send(Request<T> request, Deadline deadline) throws SQLException {
        Connection known = idle.poll();
        Connection connection = known == null ? DriverManager.getConnection(url) : known;
        boolean answered = false;
        try {
            if (closed || deadline.hasPassed()) {
                throw new SQLException("given up before it was sent");
            }
            T answer = request.send(connection);
            answered = !deadline.hasPassed();
            return answer;
        } finally {
            if (answered) {
                idle.push(connection);
            } else {
                close(connection);
            }
            if (closed) {
                closeIdle();
            }
        }
    }

    private List<List<@Nullable Object>> askEach(Connection connection, String statement, List<Object[]> parameters)
            throws SQLException {
        try (PreparedStatement request = prepare(connection, statement)) {
            List<List<@Nullable Object>> rows = new ArrayList<>();
            for (Object[] each : parameters) {
                set(request, each);
                rows.add(firstRow(request));
            }
            return rows;
        }
    }

    private static List<@Nullable Object> firstRow(PreparedStatement request) throws SQLException {
        try {
            if (!request.execute()) {
                return request.getUpdateCount() == 0 ? List.of() : List.of(request.getUpdateCount());
            }
            List<@Nullable Object> row = new ArrayList<>();
            ResultSet rows = request.getResultSet();
            int columns = rows.next() ? rows.getMetaData().getColumnCount() : 0;
            for (int i = 1; i <= columns; i++) {
                row.add(rows.getObject(i));
            }
            return row;
        } catch (SQLIntegrityConstraintViolationException e) {
            return List.of(); // Another client has inserted the row, so this one has changed nothing.
        }
    }

    private List<Object> askColumn(Connection connection, String statement, Object... parameters) throws SQLException {
        try (PreparedStatement request = prepare(connection, statement)) {
            set(request, parameters);
            List<Object> column = new ArrayList<>();
            ResultSet rows = request.executeQuery();
            while (rows.next()) {
                column.add(rows.getObject(1));
            }
            return column;
        }
    }

    private int[] askAll(Connection connection, String statement, List<Object[]> parameters) throws SQLException {
        try (PreparedStatement request = prepare(connection, statement)) {
            for (Object[] each : parameters) {
                set(request, each);
                request.addBatch();
            }
            return request.executeBatch();
        }
    }

    private PreparedStatement prepare(Connection connection, String statement) throws SQLException {
        String sql = LockTable.sql(statement, table);
        try {
            return connection.prepareStatement(sql);
        } catch (SQLSyntaxErrorException e) {
            try (Statement missingTable = connection.createStatement()) {
                missingTable.execute(LockTable.sql(LockTable.CREATE, table));
            }
            return connection.prepareStatement(sql);
        }
    }

    private static void set(PreparedStatement request, Object... parameters) throws SQLException {
        for (int i = 0; i < parameters.length; i++) {
            request.setObject(i + 1, parameters[i]);
        }
    }

    /** Waits for nobody: even a farewell to a server that is silent takes its time. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            idle.forEach(connection -> requests.execute(this::closeIdle));
            requests.shutdown();
            renewals.shutdown();
        }
    }

    private void closeIdle() {
        Connection connection = idle.poll();
        if (connection != null) {
            close(connection);
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            // It is closed either way.
        }
    }
}
