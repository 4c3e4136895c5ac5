package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.io.IOException;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * A connection from the pool of a caller-supplied client, for the time of one request.
 *
 * <p>If its socket is closed, Jedis makes another one when it adds a command: without credentials, and in database 0.
 * So no other thread may reset the connection at that time. This class adds a command first, and begins the exchange
 * afterwards. Adding a command does not wait for the server: the connection has no requests under way, and a script
 * fits into its buffers.
 */
final class BorrowedConnection extends BoundedConnection {
    private final int timeoutBefore;

    BorrowedConnection(Connection jedis, LateExchanges late) {
        super(jedis, late);
        this.timeoutBefore = jedis.getSoTimeout();
    }

    /** Sends one command, and returns its reply. */
    Object reply(CommandArguments command, Deadline deadline) throws InterruptedException {
        if (!jedis.isConnected() || isReset()) {
            throw new JedisConnectionException("the connection has been closed");
        }
        jedis.sendCommand(command);
        return exchange(Connection::getOne, deadline);
    }

    /** Restores what the client has set. Returns false if the connection cannot be used any more. */
    boolean restore() {
        if (isReset()) {
            return false;
        }
        try {
            jedis.setSoTimeout(timeoutBefore);
            return true;
        } catch (JedisConnectionException e) {
            return false;
        }
    }

    @Override
    boolean isReset() {
        return jedis.isBroken();
    }

    @Override
    void reset() {
        try {
            jedis.forceDisconnect();
        } catch (IOException e) {
            // The socket is closed already.
        }
    }
}
