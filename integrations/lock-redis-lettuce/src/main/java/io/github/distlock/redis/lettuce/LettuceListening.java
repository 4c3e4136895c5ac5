package io.github.distlock.redis.lettuce;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A subscription over a connection of its own. Lettuce's event loop puts what it reads into a queue, and the thread of
 * {@link #run} takes it out. So no work of the backend delays the event loop.
 *
 * <p>Lettuce would connect again after a disconnect, and subscribe again. The backend learns nothing of messages that
 * were lost meanwhile. So the first disconnect ends this subscription, and the backend makes another one.
 *
 * <p>The sign of life is another subscription to the same channel, which the server confirms. Not all servers answer a
 * {@code PING} of a subscribed connection in a way that Lettuce understands.
 */
final class LettuceListening implements Listening {
    private static final String ENDED = "the subscription has ended";
    private static final Duration SUBSCRIBING = Duration.ofSeconds(1);
    private static final long LONGEST_SILENCE_NANOS = Duration.ofSeconds(5).toNanos();

    private final byte[] channel;
    private final Consumer<String> messages;
    private final Runnable subscribed;
    private final Deployment deployment;
    private final LockClock clock;
    private final Opening<StatefulRedisPubSubConnection<byte[], byte[]>, StatefulRedisPubSubConnection<byte[], byte[]>>
            opening;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile Object server = "";
    private volatile @Nullable StatefulRedisPubSubConnection<byte[], byte[]> connection;
    private volatile long heardAt;
    private volatile long askedAt;

    /** What the reading thread has to do: nothing but to go on, to take a message, or to throw a failure. */
    private record Event(@Nullable String message, @Nullable Throwable failure) {
        private static final Event CONFIRMED = new Event(null, null);
    }

    LettuceListening(
            String channel, Consumer<String> messages, Runnable subscribed, Deployment deployment, LockClock clock) {
        this.channel = channel.getBytes(UTF_8);
        this.messages = messages;
        this.subscribed = subscribed;
        this.deployment = deployment;
        this.clock = clock;
        this.opening = new Opening<>(Function.identity(), clock);
        this.heardAt = clock.nanoTime();
        this.askedAt = heardAt;
    }

    @Override
    public void run() throws InterruptedException {
        Deadline soon = Deadline.after(SUBSCRIBING, clock);
        Node node = deployment.any(soon);
        server = node.server();
        deployment.begun(this);
        try {
            if (ended.get()) {
                return;
            }
            node.dialer().dialPubSub(opening);
            read(opening.await(soon), soon);
        } catch (RuntimeException e) {
            if (!(e instanceof ErrorReply) && !ended.get()) {
                deployment.failed(node);
            }
            throw e;
        } finally {
            deployment.ended(this);
            connection = null;
            opening.giveUp(ENDED);
            StatefulRedisPubSubConnection<byte[], byte[]> opened = opening.result();
            if (opened != null) {
                new Closing(opened).await(Closing.soon(clock));
            }
        }
    }

    private void read(StatefulRedisPubSubConnection<byte[], byte[]> opened, Deadline confirmed)
            throws InterruptedException {
        opened.setTimeout(Duration.ZERO);
        opened.addListener(new Receiver());
        opened.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> from) {
                end();
            }
        });
        connection = opened;
        if (!opened.isOpen()) {
            end();
        }
        heardAt = clock.nanoTime();
        subscribe(opened);
        Event first = events.poll(confirmed.remainingNanos(), NANOSECONDS);
        if (first == null) {
            throw new RedisConnectionException("the subscription was not confirmed in time");
        }
        handle(first, true);
        while (!ended.get()) {
            handle(events.take(), false);
        }
    }

    private void subscribe(StatefulRedisPubSubConnection<byte[], byte[]> to) {
        var unused = to.async().subscribe(channel).whenComplete((none, failure) -> {
            if (failure != null) {
                events.add(new Event(null, failure));
            }
        });
    }

    private void handle(Event event, boolean isFirst) {
        if (ended.get()) {
            return;
        }
        if (event.failure != null) {
            throw Errors.translated(Errors.cause(event.failure));
        }
        if (event.message != null) {
            messages.accept(event.message);
        } else if (isFirst) {
            subscribed.run();
        }
    }

    /** Runs on the event loop. */
    private final class Receiver extends RedisPubSubAdapter<byte[], byte[]> {
        @Override
        public void message(byte[] from, byte[] message) {
            heardAt = clock.nanoTime();
            events.add(new Event(new String(message, UTF_8), null));
        }

        @Override
        public void subscribed(byte[] to, long count) {
            heardAt = clock.nanoTime();
            events.add(Event.CONFIRMED);
        }
    }

    @Override
    public void askForSignOfLife() {
        long now = clock.nanoTime();
        if (now - askedAt > LONGEST_SILENCE_NANOS) {
            // No contender has waited for a while, so there was no heartbeat.
            heardAt = now;
        }
        askedAt = now;
        StatefulRedisPubSubConnection<byte[], byte[]> current = connection;
        if (current != null) {
            subscribe(current);
        }
    }

    @Override
    public boolean isSilent() {
        long now = clock.nanoTime();
        return now - heardAt > LONGEST_SILENCE_NANOS && now - askedAt <= LONGEST_SILENCE_NANOS;
    }

    @Override
    public Object server() {
        return server;
    }

    /** Ends if the connection leads to one of some addresses. Returns whether it does. */
    boolean leave(Set<String> addresses) {
        boolean leaves = addresses.contains(opening.address());
        if (leaves) {
            end();
        }
        return leaves;
    }

    @Override
    public void end() {
        ended.set(true);
        opening.giveUp(ENDED);
        events.add(Event.CONFIRMED);
    }
}
