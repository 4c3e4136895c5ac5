package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Listening;
import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.World;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A subscription over a connection of its own. */
final class SimulatedListening implements Listening {
    private static final long SUBSCRIBING_NANOS = 1_000_000_000;
    private static final long LONGEST_SILENCE_NANOS = 5_000_000_000L;

    private final String channel;
    private final Consumer<String> messages;
    private final Runnable subscribed;
    private final RedisNode node;
    private final SimulatedProcess process;
    private final World world;
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    private @Nullable Connection connection;
    private boolean ended;
    private long heardAt;
    private long askedAt;

    SimulatedListening(
            String channel,
            Consumer<String> messages,
            Runnable subscribed,
            RedisNode node,
            SimulatedProcess process,
            World world) {
        this.channel = channel;
        this.messages = messages;
        this.subscribed = subscribed;
        this.node = node;
        this.process = process;
        this.world = world;
        this.heardAt = world.nanoTime();
        this.askedAt = heardAt;
    }

    @Override
    public void run() throws InterruptedException {
        if (ended) {
            return;
        }
        Connection made = node.connect(process.name(), SimulatedListening::goOn, this::end);
        connection = made;
        node.subscribe(made, channel, message -> heard(() -> messages.accept(message)), () -> heard(subscribed));
        try {
            Runnable first = events.poll(SUBSCRIBING_NANOS, TimeUnit.NANOSECONDS);
            if (first == null) {
                throw new IllegalStateException("the subscription was not confirmed in time");
            }
            first.run();
            while (!ended) {
                events.take().run();
            }
        } finally {
            connection = null;
            made.closeByClient();
        }
    }

    /** Lets the reading thread look whether the subscription has ended. */
    private static void goOn() {}

    private void heard(Runnable event) {
        heardAt = world.nanoTime();
        if (!ended) {
            events.add(event);
        }
    }

    @Override
    public void askForSignOfLife() {
        long now = world.nanoTime();
        if (now - askedAt > LONGEST_SILENCE_NANOS) {
            // No contender has waited for a while, so there was no heartbeat.
            heardAt = now;
        }
        askedAt = now;
        Connection current = connection;
        if (current != null) {
            node.send(current, List.of("PING".getBytes(UTF_8)), reply -> heard(SimulatedListening::goOn));
        }
    }

    @Override
    public boolean isSilent() {
        long now = world.nanoTime();
        return now - heardAt > LONGEST_SILENCE_NANOS && now - askedAt <= LONGEST_SILENCE_NANOS;
    }

    @Override
    public Object server() {
        return node.name();
    }

    @Override
    public void end() {
        ended = true;
        events.add(SimulatedListening::goOn);
    }
}
