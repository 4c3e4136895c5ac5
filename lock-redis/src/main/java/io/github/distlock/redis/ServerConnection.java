package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.io.IOException;
import java.net.Socket;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultJedisSocketFactory;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** One connection whose socket can be reset from any thread, and whose requests end by their deadline. */
final class ServerConnection {
    private final Sockets sockets;
    final Connection jedis;
    /** When the connection was last put back; the stack writes it. */
    long idleSince;

    /**
     * Connects, authenticates and selects the database. This may take longer than the deadline: a lookup of the host
     * has no timeout, and each address and each step of the handshake gets all of the time that is left.
     */
    ServerConnection(HostAndPort server, JedisClientConfig config, Deadline deadline) {
        int millis = deadline.remainingMillis();
        JedisClientConfig timed = DefaultJedisClientConfig.builder()
                .from(config)
                .connectionTimeoutMillis(millis)
                .socketTimeoutMillis(millis)
                .build();
        sockets = new Sockets(new DefaultJedisSocketFactory(server, timed));
        jedis = new Connection(sockets, timed);
    }

    void timeOutAt(Deadline deadline) {
        jedis.setSoTimeout(deadline.remainingMillis());
    }

    /** Resets the socket: the server discards what it has not read yet, and a thread that reads here wakes up. */
    void reset() {
        sockets.reset();
    }

    private static final class Sockets implements JedisSocketFactory {
        private final JedisSocketFactory factory;
        private volatile @Nullable Socket last;

        private Sockets(JedisSocketFactory factory) {
            this.factory = factory;
        }

        @Override
        public Socket createSocket() {
            if (last != null) {
                // Jedis would connect again, and would not authenticate.
                throw new JedisConnectionException("the connection has been reset");
            }
            Socket socket = factory.createSocket();
            last = socket;
            return socket;
        }

        void reset() {
            Socket socket = last;
            if (socket != null) {
                try (socket) {
                    socket.setSoLinger(true, 0);
                } catch (IOException e) {
                    // The socket is closed already.
                }
            }
        }
    }
}
