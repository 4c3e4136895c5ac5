package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.net.SocketTimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * A connection whose exchanges end by their deadline whatever its socket does. One thread at a time uses it.
 *
 * <p>A socket bounds a single read, but neither a reply that comes byte by byte nor a write. So the connection notes
 * the deadline of the exchange under way, and {@link LateExchanges} resets the socket after it. Exactly one of two
 * threads takes the note away: the user when its exchange has ended, or the thread that resets the socket. If the user
 * does not find its note, the connection counts as reset. So a late reset never hits the next exchange.
 */
abstract class BoundedConnection {
    final Connection jedis;
    private final LateExchanges late;
    private final AtomicReference<@Nullable Deadline> underWay = new AtomicReference<>();

    /** An exchange over one connection: requests and their replies. */
    interface Exchange<T> {
        T over(Connection connection);
    }

    /**
     * Bounds the exchanges over a connection.
     *
     * @param late knows this connection while an exchange is under way, and calls {@link #resetIfLate}
     */
    BoundedConnection(Connection jedis, LateExchanges late) {
        this.jedis = jedis;
        this.late = late;
    }

    /**
     * Exchanges requests and replies until the deadline.
     *
     * @throws JedisConnectionException if the connection has broken, or if the exchange was not complete in time
     */
    final <T> T exchange(Exchange<T> exchange, Deadline deadline) throws InterruptedException {
        underWay.set(deadline);
        boolean watched = late.watch();
        try {
            limitReads(deadline, watched);
            return exchange.over(jedis);
        } catch (JedisConnectionException e) {
            if (Thread.interrupted()) {
                // An interrupt of a virtual thread closes the socket from which the thread reads.
                InterruptedException interrupted = new InterruptedException(e.getMessage());
                interrupted.initCause(e);
                throw interrupted;
            }
            throw deadline.hasPassed() ? late(e) : e;
        } finally {
            if (!underWay.compareAndSet(deadline, null)) {
                reset();
            }
        }
    }

    /**
     * Limits the time of each read in an exchange that begins.
     *
     * @param watched whether a late exchange will be reset
     */
    void limitReads(Deadline deadline, boolean watched) {
        jedis.setSoTimeout(deadline.remainingMillis());
    }

    private static JedisConnectionException late(Exception cause) {
        SocketTimeoutException timeout = new SocketTimeoutException();
        timeout.addSuppressed(cause);
        return new JedisConnectionException("the server has not answered in time", timeout);
    }

    /** Resets the socket if an exchange is late. Returns whether an exchange is under way. Any thread may call this. */
    final boolean resetIfLate() {
        Deadline deadline = underWay.get();
        if (deadline != null && deadline.hasPassed() && underWay.compareAndSet(deadline, null)) {
            reset();
        }
        return deadline != null;
    }

    abstract boolean isReset();

    /** Closes the socket, so that a thread that reads or writes here wakes up. Nobody uses the connection again. */
    abstract void reset();
}
