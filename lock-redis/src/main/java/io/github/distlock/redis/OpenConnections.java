package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * All connections of one backend to its server. A thread looks at them every 50 ms, and resets those whose exchange is
 * late: no other means ends a blocked write, or a reply that comes byte by byte.
 *
 * <p>The thread ends after a second without an exchange. An exchange notes its deadline, and then reads whether the
 * thread runs. The thread notes that it has ended, and then looks once more. So either the exchange starts a thread, or
 * the thread sees the exchange and starts another one.
 *
 * <p>A connection is known here before its socket exists. Closing notes that first, and then resets all connections. So
 * no connection outlives the backend.
 */
final class OpenConnections {
    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int IDLE_STEPS = 20;

    private final HostAndPort server;
    private final JedisClientConfig config;
    private final RedisContext context;
    private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean watching = new AtomicBoolean();
    private volatile boolean closed;

    OpenConnections(HostAndPort server, JedisClientConfig config, RedisContext context) {
        this.server = server;
        this.config = config;
        this.context = context;
    }

    /**
     * Connects on the calling thread, until the deadline. Only a lookup of the host has no limit.
     *
     * @return a connection that the server has answered
     */
    ServerConnection connect(Deadline deadline) throws InterruptedException {
        ServerConnection connection = new ServerConnection(server, config, deadline, this::watch);
        boolean connected = false;
        connections.add(connection);
        try {
            requireOpen();
            connection.connect(deadline);
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
        return closed;
    }

    void requireOpen() {
        if (closed) {
            throw new JedisConnectionException("the Redis backend is closed");
        }
    }

    /** Closes a connection. A thread that uses it gets an exception. */
    void drop(ServerConnection connection) {
        connections.remove(connection);
        connection.reset();
    }

    /** Closes all connections, so that requests under way fail now. */
    void close() {
        closed = true;
        connections.forEach(this::drop);
    }

    private void watch() {
        if (watching.get() || !watching.compareAndSet(false, true)) {
            return;
        }
        try {
            context.newThread("deadlines", this::resetLateOnes).start();
        } catch (RuntimeException | Error e) {
            // Without this thread, most exchanges still end in time. The next one tries again.
            watching.set(false);
        }
    }

    private void resetLateOnes() {
        try {
            for (int idle = 0; idle < IDLE_STEPS && !closed; idle++) {
                LockSupport.parkNanos(this, STEP_NANOS);
                if (isAnyUnderWay()) {
                    idle = 0;
                }
            }
        } finally {
            watching.set(false);
        }
        if (isAnyUnderWay()) {
            watch();
        }
    }

    private boolean isAnyUnderWay() {
        boolean any = false;
        for (ServerConnection connection : connections) {
            any |= connection.resetIfLate();
        }
        return any;
    }
}
