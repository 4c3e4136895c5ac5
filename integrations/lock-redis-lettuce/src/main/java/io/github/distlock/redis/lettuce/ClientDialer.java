package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.spi.Deadline;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.StatefulRedisConnectionImpl;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Connects through a caller-supplied {@link RedisClient}, which knows the address, credentials, TLS and sentinels, and
 * does not tell them. With sentinels, each connection leads to the primary that they name then.
 *
 * <p>The client connects only while a thread waits. So each attempt has a thread of the backend, which is interrupted
 * if the attempt is given up. The client goes on connecting then. The connection that it makes has the codec of its
 * attempt, by which a listener of the client recognizes it. The listener outlives a backend that is closed while such a
 * connection may still come, until the client connects after that.
 */
final class ClientDialer implements Dialer, RedisConnectionStateListener {
    private static final long LONGEST_TIMEOUTS = Duration.ofMinutes(2).toNanos();

    private final RedisClient client;
    private final ConnectionContext context;
    private final Consumer<Set<String>> former;
    private final AtomicReference<@Nullable SentinelWatch> watch = new AtomicReference<>();
    /** Whether no connection is wanted: before the first one, and after {@link #disconnect}. */
    private volatile boolean resting = true;

    private volatile boolean closed;
    private volatile String address = "the server of the Lettuce client";
    /** When a connection that was given up may come at the latest, unless the client has very long timeouts. */
    private volatile long latestArrival;

    /**
     * Connects to nothing yet.
     *
     * @param former takes the addresses of former primaries, again and again; must not block
     */
    ClientDialer(RedisClient client, ConnectionContext context, Consumer<Set<String>> former) {
        this.former = former;
        this.client = client;
        this.context = context;
        this.latestArrival = context.clock().nanoTime();
        client.addListener(this);
    }

    /** Names the attempt to which a connection belongs. */
    private static final class AttemptCodec extends ByteArrayCodec {
        private final ClientDialer dialer;
        private final Opening<?, ?> opening;

        private AttemptCodec(ClientDialer dialer, Opening<?, ?> opening) {
            this.dialer = dialer;
            this.opening = opening;
        }
    }

    @Override
    public void dial(Opening<StatefulRedisConnection<byte[], byte[]>, ?> opening) {
        start(opening, client::connect);
    }

    @Override
    public void dialPubSub(Opening<StatefulRedisPubSubConnection<byte[], byte[]>, ?> opening) {
        start(opening, client::connectPubSub);
    }

    private <C extends StatefulConnection<byte[], byte[]>> void start(
            Opening<C, ?> opening, Function<RedisCodec<byte[], byte[]>, C> connect) {
        resting = false;
        Thread thread = context.newThread(() -> {
            try {
                opening.succeeded(connect.apply(new AttemptCodec(this, opening)));
            } catch (RuntimeException | Error e) {
                opening.failed(e);
            }
        });
        opening.onGiveUp(() -> {
            latestArrival = context.clock().nanoTime() + LONGEST_TIMEOUTS;
            thread.interrupt();
        });
        thread.start();
    }

    /** An event of the client, for all its connections. */
    @Override
    public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress server) {
        if (closed) {
            stopListening();
        }
        if (connection instanceof StatefulRedisSentinelConnection<?, ?>) {
            // The client asks a sentinel before it connects.
            watchSentinels();
        } else if (connection instanceof StatefulRedisConnectionImpl<?, ?> made
                && made.getCodec() instanceof AttemptCodec codec
                && codec.dialer == this) {
            address = server instanceof InetSocketAddress at
                    ? at.getHostString() + ":" + at.getPort()
                    : String.valueOf(server);
            codec.opening.appeared(made, address);
        }
    }

    private void watchSentinels() {
        SentinelWatch next = new SentinelWatch(client, former);
        if (!resting && !closed && watch.compareAndSet(null, next)) {
            try {
                context.newThread(next).start();
            } catch (RuntimeException | Error e) {
                // The next connection to a sentinel tries again.
                watch.set(null);
            }
            if (resting || closed) {
                var unused = endWatch();
            }
        }
    }

    boolean hasSentinels() {
        return watch.get() != null;
    }

    /** Asks no sentinel any more, until this has connected through one again. Waits for the end of the questions. */
    void disconnect(Deadline soon) {
        resting = true;
        SentinelWatch running = endWatch();
        if (running != null) {
            running.awaitEnd(soon);
        }
    }

    private @Nullable SentinelWatch endWatch() {
        SentinelWatch running = watch.getAndSet(null);
        if (running != null) {
            running.end();
        }
        return running;
    }

    /** Returns the address of the last connection. */
    @Override
    public String toString() {
        return address;
    }

    /** Listens no longer, unless a connection may still come that was given up. */
    void close() {
        closed = true;
        var unused = endWatch();
        stopListening();
    }

    private void stopListening() {
        if (context.clock().nanoTime() - latestArrival >= 0) {
            client.removeListener(this);
        }
    }
}
