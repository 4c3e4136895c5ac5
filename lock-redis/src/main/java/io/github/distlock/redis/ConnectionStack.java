package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * A stack of connections, on which callers do their I/O on their own threads. The connection that was used last is used
 * next, and idle connections are closed. Waiting for a connection and an exchange end at the request's deadline. A
 * failed connection is reset and not used again, so that no request reads the reply to another one.
 *
 * <p><b>Connecting.</b> Nothing bounds the lookup of a host. So threads of the stack connect, while the caller waits
 * until its deadline. Connecting may take twice the time that the caller has. A connection that is ready too late for
 * its caller serves the next one. So a handshake that is a little too slow does not fail forever. Callers wait on a
 * latch: waiting on a future would run foreign tasks on a thread of a {@code ForkJoinPool}.
 *
 * <p><b>Idle connections.</b> The server or a firewall may have closed an idle connection, which only its use shows. So
 * the stack checks a connection that was idle for some seconds, for at most 200 ms. If a connection has failed, the
 * stack drops all that have been idle for as long. A request that fails on a connection that was idle, other than by
 * silence, is sent again and notes that. A request that is not safe to repeat is not sent again.
 *
 * <p><b>Fallback.</b> A stack that cannot connect uses a connection of its fallback. So renewals go on if the server
 * accepts no more connections.
 */
final class ConnectionStack {
    private static final long LONGEST_IDLE = Duration.ofSeconds(30).toNanos();
    private static final long CHECKED_AFTER = Duration.ofSeconds(5).toNanos();
    private static final Duration LONGEST_CHECK = Duration.ofMillis(200);
    /** A connection that broke so soon after its last use did not break because it was idle. */
    private static final long IN_USE = Duration.ofSeconds(1).toNanos();

    private final OpenConnections connections;
    private final RedisContext context;
    private final Runnable lost;
    private final @Nullable ConnectionStack fallback;
    private final Semaphore permits;
    private final ThreadPoolExecutor connecting;
    private final ConcurrentLinkedDeque<ServerConnection> idle = new ConcurrentLinkedDeque<>();

    /**
     * Makes a stack without connections.
     *
     * @param lost called when a connection with a request under way has broken
     */
    ConnectionStack(
            int most,
            OpenConnections connections,
            RedisContext context,
            Runnable lost,
            @Nullable ConnectionStack fallback) {
        this.connections = connections;
        this.context = context;
        this.lost = lost;
        this.fallback = fallback;
        this.permits = new Semaphore(most);
        this.connecting = new ThreadPoolExecutor(
                most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), context.redisThreads());
        this.connecting.allowCoreThreadTimeOut(true);
    }

    /**
     * Exchanges requests and replies over one connection.
     *
     * @param calls the requests of the exchange
     */
    <T> T exchange(Collection<ScriptCall> calls, BoundedConnection.Exchange<T> exchange, Deadline deadline)
            throws InterruptedException {
        if (!permits.tryAcquire() && !permits.tryAcquire(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
            throw new JedisConnectionException("all connections were busy until the request's time was over");
        }
        try {
            for (ServerConnection used = pollIdle(deadline); used != null; used = pollIdle(deadline)) {
                try {
                    return exchange(exchange, used, deadline);
                } catch (JedisConnectionException e) {
                    boolean late = connections.isClosed() || deadline.hasPassed();
                    if (!late && idleTime(used) < IN_USE) {
                        lost.run();
                    }
                    dropIdleAsLongAs(used);
                    if (late || !areRepeatable(calls)) {
                        throw e;
                    }
                    calls.forEach(ScriptCall::noteSentAgain);
                }
            }
            return exchangeOverNew(calls, exchange, deadline);
        } finally {
            permits.release();
        }
    }

    private <T> T exchangeOverNew(
            Collection<ScriptCall> calls, BoundedConnection.Exchange<T> exchange, Deadline deadline)
            throws InterruptedException {
        ServerConnection connection;
        try {
            connection = connect(deadline);
        } catch (JedisException e) {
            if (fallback == null || connections.isClosed() || deadline.hasPassed()) {
                throw e;
            }
            return fallback.exchange(calls, exchange, deadline);
        }
        try {
            return exchange(exchange, connection, deadline);
        } catch (JedisConnectionException e) {
            if (!connections.isClosed() && !deadline.hasPassed()) {
                lost.run();
            }
            throw e;
        }
    }

    private long idleTime(ServerConnection connection) {
        return context.clock.nanoTime() - connection.idleSince;
    }

    private static boolean areRepeatable(Collection<ScriptCall> calls) {
        return calls.stream().allMatch(ScriptCall::isRepeatable);
    }

    private <T> T exchange(BoundedConnection.Exchange<T> exchange, ServerConnection connection, Deadline deadline)
            throws InterruptedException {
        boolean complete = false;
        try {
            T result = connection.exchange(exchange, deadline);
            complete = !(result instanceof List<?> replies && JedisCalls.isAnyOfAnotherServer(replies));
            return result;
        } catch (JedisDataException e) {
            complete = !JedisCalls.isOfAnotherServer(e);
            throw e;
        } finally {
            if (complete) {
                putBack(connection);
            } else {
                connections.drop(connection);
            }
        }
    }

    /** Returns an idle connection that seems to be open, or null if there is none. */
    private @Nullable ServerConnection pollIdle(Deadline deadline) throws InterruptedException {
        ServerConnection found = idle.pollFirst();
        while (found != null && idleTime(found) > CHECKED_AFTER && !answers(found, deadline)) {
            dropIdleAsLongAs(found);
            found = idle.pollFirst();
        }
        return found;
    }

    private boolean answers(ServerConnection connection, Deadline deadline) throws InterruptedException {
        Deadline soon = Deadline.after(LONGEST_CHECK, context.clock);
        boolean answered = false;
        try {
            var unused = connection.exchange(
                    jedis -> {
                        jedis.sendCommand(Command.PING);
                        return jedis.getMany(1);
                    },
                    soon.remainingNanos() < deadline.remainingNanos() ? soon : deadline);
            answered = true;
        } catch (JedisConnectionException e) {
            // Another connection serves the request.
        } finally {
            if (!answered) {
                connections.drop(connection);
            }
        }
        return answered;
    }

    private ServerConnection connect(Deadline deadline) throws InterruptedException {
        connections.requireOpen();
        Deadline longest = Deadline.after(Duration.ofNanos(2 * deadline.remainingNanos()), context.clock);
        CompletableFuture<ServerConnection> wanted = new CompletableFuture<>();
        CountDownLatch answered = new CountDownLatch(1);
        Runnable connect = () -> {
            connect(wanted, longest);
            answered.countDown();
        };
        boolean inTime = false;
        try {
            connecting.execute(connect);
            inTime = answered.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            connections.requireOpen();
            throw e;
        } finally {
            if (!inTime) {
                abandon(wanted, connect);
            }
        }
        if (!inTime) {
            throw new JedisConnectionException("not connected in time", new SocketTimeoutException());
        }
        return result(wanted);
    }

    private static ServerConnection result(CompletableFuture<ServerConnection> wanted) {
        try {
            return wanted.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new JedisConnectionException(e.getCause());
        }
    }

    private void abandon(CompletableFuture<ServerConnection> wanted, Runnable connect) {
        if (wanted.cancel(false)) {
            connecting.remove(connect);
        } else if (!wanted.isCompletedExceptionally()) {
            putBack(wanted.join());
        }
    }

    private void connect(CompletableFuture<ServerConnection> wanted, Deadline longest) {
        if (wanted.isDone()) {
            return;
        }
        try {
            ServerConnection connection = connections.connect(longest);
            if (!wanted.complete(connection)) {
                putBack(connection);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            wanted.completeExceptionally(e);
        }
    }

    private void putBack(ServerConnection connection) {
        if (connection.isReset()) {
            connections.drop(connection);
            return;
        }
        long now = context.clock.nanoTime();
        connection.idleSince = now;
        boolean kept = false;
        try {
            idle.addFirst(connection);
            kept = true;
        } finally {
            if (!kept) {
                connections.drop(connection);
            }
        }
        ServerConnection oldest = idle.peekLast();
        if (oldest != null && now - oldest.idleSince > LONGEST_IDLE && idle.removeLastOccurrence(oldest)) {
            connections.drop(oldest);
        }
    }

    /** Drops the connections that have not been used for as long as this one. */
    private void dropIdleAsLongAs(ServerConnection failed) {
        for (ServerConnection other : idle) {
            if (other.idleSince - failed.idleSince <= 0 && idle.remove(other)) {
                connections.drop(other);
            }
        }
    }

    void dropIdle() {
        for (ServerConnection used = idle.pollFirst(); used != null; used = idle.pollFirst()) {
            connections.drop(used);
        }
    }

    /** Connects no more. The connections close with {@link OpenConnections#close}. */
    void close() {
        connecting.shutdown();
    }
}
