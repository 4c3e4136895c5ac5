package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Listens to the message with which a sentinel announces a new primary. Nothing depends on the message: a request that
 * fails has the sentinels asked.
 *
 * <p>One thread subscribes to one sentinel, from the first request to the end of the backend. If the subscription ends,
 * the thread subscribes to the next sentinel 250 ms later, and twice as long after each further failure, up to 4 s.
 * Earlier messages may then be lost, so it has the sentinels asked. It does the same after 30 s of silence, which is
 * how it leaves a sentinel that has stopped.
 */
final class SwitchMessages {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final String CHANNEL = "+switch-master";
    private static final Duration SUBSCRIBING = Duration.ofSeconds(1);
    private static final int LONGEST_SILENCE_MILLIS = 30_000;
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);
    private static final int MOST_DOUBLINGS = 4;
    private static final Duration LONGEST_CLOSE = Duration.ofMillis(250);

    private final List<HostAndPort> sentinels;
    private final JedisClientConfig config;
    private final Consumer<String> received;
    private final Runnable subscribed;
    private final RedisContext context;
    private final LateExchanges late;
    private final AtomicReference<@Nullable Reader> reader = new AtomicReference<>();
    private volatile boolean closed;

    /**
     * Sends nothing yet.
     *
     * @param received takes each message
     * @param subscribed called whenever a sentinel has confirmed a subscription; earlier messages may be lost
     */
    SwitchMessages(
            List<HostAndPort> sentinels,
            JedisClientConfig config,
            Consumer<String> received,
            Runnable subscribed,
            Node.Shared shared) {
        this.sentinels = new ArrayList<>(sentinels);
        Collections.shuffle(this.sentinels);
        this.config = config;
        this.received = received;
        this.subscribed = subscribed;
        this.context = shared.context();
        this.late = shared.late();
    }

    /** Sees to it that the thread runs. */
    void need() {
        if (reader.get() != null || closed) {
            return;
        }
        Reader next = new Reader();
        if (!reader.compareAndSet(null, next)) {
            return;
        }
        try {
            next.thread.start();
        } catch (RuntimeException | Error e) {
            // The next request tries again.
            reader.compareAndSet(next, null);
        }
        if (closed) {
            next.end();
        }
    }

    /** Ends the thread, and waits up to 250 ms for that. The next request starts another one. */
    void disconnect() {
        Reader current = reader.getAndSet(null);
        if (current != null) {
            current.end();
            current.awaitEnd();
        }
    }

    /** Ends the thread, and waits up to 250 ms for that. */
    void close() {
        closed = true;
        disconnect();
    }

    private final class Reader implements Runnable {
        private final Thread thread = context.newThread("sentinel", this);
        private volatile @Nullable OpenConnections connections;
        private volatile boolean ended;
        private int failures;

        @Override
        public void run() {
            try {
                for (int i = 0; !ended; i = (i + 1) % sentinels.size()) {
                    listenTo(sentinels.get(i));
                }
            } finally {
                reader.compareAndSet(this, null);
            }
        }

        private void listenTo(HostAndPort sentinel) {
            OpenConnections opened = new OpenConnections(sentinel, config, ServerConnection.Check.ALIVE, late);
            connections = opened;
            try {
                if (!ended) {
                    listen(opened);
                }
            } catch (InterruptedException | RuntimeException e) {
                if (failures == 0 && e instanceof JedisDataException) {
                    context.log(() -> LOG.warn("the sentinel {} refuses the subscription to {}", sentinel, CHANNEL, e));
                } else {
                    context.log(() -> LOG.debug("no messages from the sentinel {}", sentinel, e));
                }
                if (!ended) {
                    LockSupport.parkNanos(this, pause());
                }
                failures++;
            } finally {
                opened.close("the subscription has ended");
            }
        }

        private long pause() {
            return SHORTEST_PAUSE
                    .multipliedBy(1L << Math.min(failures, MOST_DOUBLINGS))
                    .toNanos();
        }

        private void listen(OpenConnections opened) throws InterruptedException {
            Deadline soon = Deadline.after(SUBSCRIBING, context.clock);
            ServerConnection connection = opened.connect(soon);
            var unused = connection.exchange(
                    jedis -> {
                        jedis.sendCommand(new CommandArguments(Command.SUBSCRIBE).add(CHANNEL));
                        return jedis.getOne();
                    },
                    soon);
            failures = 0;
            subscribed.run();
            connection.jedis.setSoTimeout(LONGEST_SILENCE_MILLIS);
            while (!ended) {
                if (connection.jedis.getUnflushedObject() instanceof List<?> push && push.size() == 3) {
                    received.accept(Replies.text(push.get(2)));
                }
            }
        }

        private void end() {
            ended = true;
            OpenConnections current = connections;
            if (current != null) {
                current.close(OwnConnections.CLOSED);
            }
            LockSupport.unpark(thread);
        }

        private void awaitEnd() {
            if (thread == Thread.currentThread()) {
                return;
            }
            try {
                thread.join(LONGEST_CLOSE.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
