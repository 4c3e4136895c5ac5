package io.github.distlock.redis;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one subscription of a backend, to its own channel. It exists while a contender waits, and for some seconds more.
 * The backend replaces a broken subscription. No promise depends on it: waiters poll, and more often while it is down.
 *
 * <p>One thread reads it. Heartbeats ping it, so silence means that it is broken. If its thread does not return from
 * the client, the backend abandons it and makes another one. A message that the old one delivers later is a hint like
 * any other.
 *
 * <p>A subscription that broke is made again at once. If it cannot be made, the next heartbeat of a waiter makes it
 * again, but no sooner than 250 ms later, and twice as long after each further failure, up to 32 s.
 *
 * <p>{@link #reader} changes from null to a new reader, and from that reader to null. A reader that has ended, and one
 * whose thread could not be started, take themselves away, whatever they throw. So the next waiter always finds either
 * a reader whose thread runs, or null.
 */
final class Subscription {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final long KEPT_UNUSED = Duration.ofSeconds(5).toNanos();
    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);
    private static final int MOST_DOUBLINGS = 7;
    private static final Duration LONGEST_CLOSE = Duration.ofMillis(250);

    private final Redis redis;
    private final String channel;
    private final Consumer<String> messages;
    private final Runnable made;
    private final RedisContext context;
    private final AtomicReference<@Nullable Reader> reader = new AtomicReference<>();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile long notBefore;
    private volatile long neededAt;
    private volatile boolean closed;

    /**
     * Makes a subscription, which sends nothing yet.
     *
     * @param made called whenever the server has confirmed a subscription; earlier messages are lost
     */
    Subscription(Redis redis, String channel, Consumer<String> messages, Runnable made, RedisContext context) {
        this.redis = redis;
        this.channel = channel;
        this.messages = messages;
        this.made = made;
        this.context = context;
        this.notBefore = context.clock.nanoTime();
    }

    /** Keeps the subscription for some seconds, because a contender waits. */
    void need() {
        long now = context.clock.nanoTime();
        neededAt = now;
        if (reader.get() == null && now - notBefore >= 0) {
            start();
        }
    }

    private boolean isNeeded() {
        return !closed && context.clock.nanoTime() - neededAt < KEPT_UNUSED;
    }

    private void start() {
        if (closed || !redis.canListen()) {
            return;
        }
        Reader next = new Reader();
        if (!reader.compareAndSet(null, next)) {
            return;
        }
        try {
            context.newThread("subscription", next).start();
        } catch (RuntimeException | Error e) {
            reader.compareAndSet(next, null);
            failed(e);
        }
    }

    private void failed(Throwable error) {
        int before = failures.getAndIncrement();
        Duration pause = SHORTEST_PAUSE.multipliedBy(1L << Math.min(before, MOST_DOUBLINGS));
        notBefore = context.clock.nanoTime() + pause.toNanos();
        if (before == 0 && error instanceof ErrorReply) {
            context.log(() -> LOG.warn("the server refuses the subscription to {}, so waiters poll", channel, error));
        } else {
            context.log(() -> LOG.debug("there is no subscription to {}", channel, error));
        }
    }

    boolean isActive() {
        return active() != null;
    }

    /** Returns the present subscription, which is another object after each interruption, or null. */
    @Nullable
    Object active() {
        Reader current = reader.get();
        return current != null && current.active ? current : null;
    }

    /** Checks that the subscription has not broken. */
    void ping() {
        Reader current = reader.get();
        if (current == null) {
            return;
        }
        if (current.listening.isSilent()) {
            current.active = false;
            if (reader.compareAndSet(current, null)) {
                start();
            }
            current.listening.end();
            return;
        }
        try {
            current.listening.askForSignOfLife();
        } catch (RuntimeException e) {
            context.log(() -> LOG.debug("the subscription to {} cannot be pinged", channel, e));
            current.listening.end();
        }
    }

    /** Ends the subscription, and waits up to 250 ms for that. No contender waits, so nobody needs another one. */
    void disconnect() {
        neededAt = context.clock.nanoTime() - KEPT_UNUSED;
        stop();
    }

    /** Ends the subscription, and waits up to 250 ms for that. */
    void close() {
        closed = true;
        stop();
    }

    private void stop() {
        Reader current = reader.get();
        if (current != null) {
            current.stop();
        }
    }

    private final class Reader implements Runnable {
        private final Listening listening = redis.listening(channel, messages, this::subscribed);
        private volatile boolean active;
        private volatile @Nullable Thread thread;

        private void subscribed() {
            active = true;
            failures.set(0);
            made.run();
        }

        @Override
        public void run() {
            thread = Thread.currentThread();
            try {
                listen();
            } finally {
                ended();
            }
        }

        /** A subscription that is closed before this look does not begin, and a later end of it ends this reader. */
        private void listen() {
            try {
                if (!closed) {
                    listening.run();
                }
            } catch (InterruptedException | RuntimeException | Error e) {
                if (!active && isNeeded()) {
                    failed(e);
                }
            }
        }

        private void ended() {
            boolean broken = active;
            active = false;
            boolean wasCurrent = reader.compareAndSet(this, null);
            if (wasCurrent && broken && isNeeded()) {
                context.connectionLost(listening.server());
                start();
            }
        }

        private void stop() {
            listening.end();
            Thread running = thread;
            if (running != null && running != Thread.currentThread()) {
                try {
                    running.join(LONGEST_CLOSE.toMillis());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
