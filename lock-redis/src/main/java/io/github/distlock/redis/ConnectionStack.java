package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * A stack of connections, on which callers do their I/O on their own threads. The connection that was used last is used
 * next, and idle connections are closed. Waiting for a connection and reading end at the request's deadline. A failed
 * connection is reset and not used again, so that no request reads the reply to another one.
 *
 * <p>Nothing bounds the time for connecting. So threads of the stack connect, while the caller waits until its
 * deadline. A connection that is ready too late for its caller serves the next one.
 *
 * <p>The server or a firewall may have closed an idle connection, which only its use shows. So if a request fails on a
 * connection that was idle, other than by a timeout, it is sent again and notes that. A request that is not safe to
 * repeat is not sent again.
 */
final class ConnectionStack {
    private static final long LONGEST_IDLE = Duration.ofSeconds(30).toNanos();

    private final Function<Deadline, ServerConnection> connector;
    private final LockClock clock;
    private final Semaphore permits;
    private final ThreadPoolExecutor connecting;
    private final ConcurrentLinkedDeque<ServerConnection> idle = new ConcurrentLinkedDeque<>();
    private final Set<ServerConnection> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** An exchange over one connection: requests and their replies. */
    interface Exchange<T> {
        T over(Connection connection);
    }

    ConnectionStack(int most, Function<Deadline, ServerConnection> connector, ThreadFactory threads, LockClock clock) {
        this.connector = connector;
        this.clock = clock;
        this.permits = new Semaphore(most);
        this.connecting = new ThreadPoolExecutor(most, most, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
        this.connecting.allowCoreThreadTimeOut(true);
    }

    /**
     * Exchanges requests and replies over one connection.
     *
     * @param calls the requests of the exchange
     */
    <T> T exchange(Collection<ScriptCall> calls, Exchange<T> exchange, Deadline deadline) throws InterruptedException {
        if (!permits.tryAcquire() && !permits.tryAcquire(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
            throw new JedisConnectionException("all connections were busy until the request's time was over");
        }
        try {
            while (true) {
                ServerConnection used = idle.pollFirst();
                try {
                    return exchange(exchange, used == null ? connect(deadline) : used, deadline);
                } catch (JedisConnectionException e) {
                    boolean silent = e.getCause() instanceof SocketTimeoutException;
                    if (used == null || closed || silent || deadline.hasPassed() || !areRepeatable(calls)) {
                        throw e;
                    }
                    dropIdle();
                    calls.forEach(ScriptCall::noteSentAgain);
                }
            }
        } finally {
            permits.release();
        }
    }

    private static boolean areRepeatable(Collection<ScriptCall> calls) {
        return calls.stream().allMatch(ScriptCall::isRepeatable);
    }

    private ServerConnection connect(Deadline deadline) throws InterruptedException {
        requireOpen();
        CompletableFuture<ServerConnection> wanted = new CompletableFuture<>();
        Runnable connect = () -> connect(wanted, deadline);
        try {
            connecting.execute(connect);
            return wanted.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            abandon(wanted, connect);
            throw new JedisConnectionException("not connected in time", new SocketTimeoutException(e.getMessage()));
        } catch (InterruptedException e) {
            abandon(wanted, connect);
            throw e;
        } catch (RejectedExecutionException e) {
            throw closed();
        } catch (ExecutionException e) {
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

    private void connect(CompletableFuture<ServerConnection> wanted, Deadline deadline) {
        if (wanted.isDone()) {
            return;
        }
        try {
            ServerConnection connection = connector.apply(deadline);
            open.add(connection);
            if (closed) {
                drop(connection);
                wanted.completeExceptionally(closed());
            } else if (!wanted.complete(connection)) {
                putBack(connection);
            }
        } catch (RuntimeException | Error e) {
            wanted.completeExceptionally(e);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw closed();
        }
    }

    private static JedisConnectionException closed() {
        return new JedisConnectionException("the Redis backend is closed");
    }

    private <T> T exchange(Exchange<T> exchange, ServerConnection connection, Deadline deadline)
            throws InterruptedException {
        boolean complete = false;
        try {
            connection.timeOutAt(deadline);
            T result = exchange.over(connection.jedis);
            complete = !(result instanceof List<?> replies) || replies.stream().noneMatch(Replies::isOfAnotherServer);
            return result;
        } catch (JedisDataException e) {
            complete = !Replies.isOfAnotherServer(e);
            throw e;
        } catch (JedisConnectionException e) {
            if (Thread.interrupted()) {
                // An interrupt of a virtual thread closes the socket from which the thread reads.
                InterruptedException interrupted = new InterruptedException(e.getMessage());
                interrupted.initCause(e);
                throw interrupted;
            }
            throw e;
        } finally {
            if (complete) {
                putBack(connection);
            } else {
                drop(connection);
            }
        }
    }

    private void putBack(ServerConnection connection) {
        long now = clock.nanoTime();
        connection.idleSince = now;
        idle.addFirst(connection);
        ServerConnection oldest = idle.peekLast();
        if (closed) {
            dropIdle();
        } else if (oldest != null && now - oldest.idleSince > LONGEST_IDLE && idle.removeLastOccurrence(oldest)) {
            drop(oldest);
        }
    }

    private void drop(ServerConnection connection) {
        open.remove(connection);
        connection.reset();
    }

    private void dropIdle() {
        for (ServerConnection connection = idle.pollFirst(); connection != null; connection = idle.pollFirst()) {
            drop(connection);
        }
    }

    /** Closes all connections, so that requests under way fail now. */
    void close() {
        closed = true;
        connecting.shutdownNow();
        open.forEach(this::drop);
    }
}
