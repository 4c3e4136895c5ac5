package io.github.distlock.redis;

import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
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
 */
final class Subscription {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final long KEPT_UNUSED = Duration.ofSeconds(5).toNanos();
    private static final long PAUSE_MILLIS = 250;

    private final Redis redis;
    private final String channel;
    private final Consumer<String> messages;
    private final Runnable made;
    private final ThreadFactory threads;
    private final LockClock clock;
    private final AtomicReference<@Nullable Reader> reader = new AtomicReference<>();
    private volatile long neededAt;
    private volatile boolean closed;

    /**
     * Makes a subscription, which sends nothing yet.
     *
     * @param made called whenever the server has confirmed a subscription; earlier messages are lost
     */
    Subscription(
            Redis redis,
            String channel,
            Consumer<String> messages,
            Runnable made,
            ThreadFactory threads,
            LockClock clock) {
        this.redis = redis;
        this.channel = channel;
        this.messages = messages;
        this.made = made;
        this.threads = threads;
        this.clock = clock;
    }

    /** Keeps the subscription for some seconds, because a contender waits. */
    void need() {
        neededAt = clock.nanoTime();
        if (reader.get() == null && !closed) {
            start(null);
        }
    }

    private void start(@Nullable Reader instead) {
        Reader next = new Reader();
        if (reader.compareAndSet(instead, next)) {
            threads.newThread(next).start();
            if (closed) {
                next.listening.end();
            }
        }
    }

    boolean isActive() {
        Reader current = reader.get();
        return current != null && current.active;
    }

    /** Checks that the subscription has not broken. */
    void ping() {
        Reader current = reader.get();
        if (current == null) {
            return;
        }
        if (current.listening.isSilent()) {
            current.active = false;
            start(current);
            current.listening.end();
            return;
        }
        try {
            current.listening.askForSignOfLife();
        } catch (RuntimeException e) {
            LOG.debug("the subscription to {} cannot be pinged", channel, e);
            current.listening.end();
        }
    }

    /** Ends the subscription, and waits up to 250 ms for that. */
    void close() {
        closed = true;
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
            made.run();
        }

        @Override
        public void run() {
            thread = Thread.currentThread();
            try {
                if (!closed) {
                    listening.run();
                }
            } catch (RuntimeException e) {
                LOG.debug("the subscription to {} has ended", channel, e);
            } finally {
                boolean broken = active;
                active = false;
                if (!closed && clock.nanoTime() - neededAt < KEPT_UNUSED) {
                    if (!broken) {
                        LockSupport.parkNanos(Duration.ofMillis(PAUSE_MILLIS).toNanos());
                    }
                    start(this);
                } else if (reader.compareAndSet(this, null) && clock.nanoTime() - neededAt < KEPT_UNUSED && !closed) {
                    start(null);
                }
            }
        }

        private void stop() {
            listening.end();
            Thread running = thread;
            if (running != null && running != Thread.currentThread()) {
                LockSupport.unpark(running);
                try {
                    running.join(PAUSE_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
