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
    /** When it was last put back; the stack's. */
    long idleSince;

    /**
     * Connects, authenticates and chooses the database. That may take longer than the deadline: the name has to be
     * looked up, and each of its addresses and each step of the handshake is given the whole time that is left.
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

    /** So that the server throws away what has not been read yet, and whoever reads here wakes up. */
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
                // Jedis would connect again, and go on without having said who it is.
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
                    // It is closed already.
                }
            }
        }
    }
}
