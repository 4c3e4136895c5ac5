package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * All connections of one backend to one server.
 *
 * <p>A connection is known here before its socket exists. Closing notes that first, and then resets all connections. So
 * no connection outlives the backend, or the server's part in its deployment.
 */
final class OpenConnections {
    private final HostAndPort server;
    private final JedisClientConfig config;
    private final ServerConnection.Check check;
    private final LateExchanges late;
    private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
    /** Why the connections are closed, or null. */
    private volatile @Nullable String closed;

    /**
     * Makes none yet.
     *
     * @param check what the server must answer before a connection is used
     */
    OpenConnections(HostAndPort server, JedisClientConfig config, ServerConnection.Check check, LateExchanges late) {
        this.server = server;
        this.config = config;
        this.check = check;
        this.late = late;
    }

    /**
     * Connects on the calling thread, until the deadline. Only a lookup of the host has no limit.
     *
     * @return a connection that the server has answered
     */
    ServerConnection connect(Deadline deadline) throws InterruptedException {
        ServerConnection connection = new ServerConnection(server, config, deadline, late);
        boolean connected = false;
        connections.add(connection);
        late.add(connection);
        try {
            requireOpen();
            connection.connect(check, deadline);
            requireOpen();
            connected = true;
            return connection;
        } finally {
            if (!connected) {
                drop(connection);
            }
        }
    }

    boolean isClosed() {
        return closed != null;
    }

    void requireOpen() {
        String why = closed;
        if (why != null) {
            throw new JedisConnectionException(why);
        }
    }

    /** Closes a connection. A thread that uses it gets an exception. */
    void drop(ServerConnection connection) {
        connections.remove(connection);
        late.remove(connection);
        connection.reset();
    }

    /** Closes all connections, so that requests under way fail now. */
    void close(String why) {
        closed = why;
        connections.forEach(this::drop);
    }
}
