package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.World;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A machine with one Redis server: it accepts connections, and executes commands in the order of their arrival. */
final class RedisNode {
    private static final int RUN_ID_DIGITS = 40;
    private static final int HEXADECIMAL = 16;
    /** For how long the server can undo changes. */
    static final long REMEMBERED_NANOS = 10_000_000_000L;

    private final World world;
    private final Network network;
    private final String name;
    private final ServerClock clock;
    private final RedisModel model;
    private final Set<Connection> open = new LinkedHashSet<>();
    private Admission admission = (command, asking) -> null;
    /** The server that takes the place of this one, or null. */
    private @Nullable RedisNode successor;

    private long downUntil;
    private long pausedUntil;
    private boolean losesAllAfterNext;
    private long lateNanos;

    /** Decides whether a node of a cluster executes a command. */
    interface Admission {
        /**
         * Looks at a command.
         *
         * @param asking whether {@code ASKING} came right before it
         * @return the error to answer, or null to execute it
         */
        @Nullable
        RedisError refusal(List<byte[]> command, boolean asking);
    }

    RedisNode(String name, double clockRate, World world, Network network) {
        this.name = name;
        this.world = world;
        this.network = network;
        this.clock = new ServerClock(world::nanoTime, clockRate);
        this.model =
                new RedisModel(clock::micros, world::nanoTime, REMEMBERED_NANOS, LuaInterpreter.ofThread(), newRunId());
    }

    private String newRunId() {
        StringBuilder digits = new StringBuilder();
        for (int i = 0; i < RUN_ID_DIGITS; i++) {
            digits.append(Character.forDigit(world.random().nextInt(HEXADECIMAL), HEXADECIMAL));
        }
        return digits.toString();
    }

    // For clients

    /**
     * Opens a connection.
     *
     * @param opened runs when the client hears that the server has accepted it
     * @param broken runs when the client hears that the connection is broken or refused
     */
    Connection connect(String client, Runnable opened, Runnable broken) {
        if (successor != null) {
            return successor.connect(client, opened, broken);
        }
        Connection connection = network.connect(client, name);
        connection.onBrokenForClient(broken);
        connection.toServer(() -> accept(connection, opened));
        return connection;
    }

    private void accept(Connection connection, Runnable opened) {
        if (isDown()) {
            connection.closeByServer();
            return;
        }
        open.add(connection);
        connection.onBrokenForServer(() -> open.remove(connection));
        connection.toClient(opened);
    }

    /** Sends a command, which the server executes only if the connection lasts until then. */
    void send(Connection connection, List<byte[]> command, Consumer<@Nullable Object> reply) {
        send(connection, command, false, reply);
    }

    /** As {@link #send}, with {@code ASKING} before the command if a node of a cluster has sent the client here. */
    void send(Connection connection, List<byte[]> command, boolean asking, Consumer<@Nullable Object> reply) {
        if (successor != null) {
            successor.send(connection, command, asking, reply);
            return;
        }
        connection.toServer(() -> whenRunning(connection, () -> {
            Object refusal = admission.refusal(command, asking);
            int keysBefore = losesAllAfterNext ? model.keyNames().size() : 0;
            Object answer = refusal == null ? model.execute(command) : refusal;
            world.trace(name, () -> "executes: " + model.describe(command) + " -> " + RedisModel.describe(answer));
            if (losesAllAfterNext && model.keyNames().size() > keysBefore) {
                connection.delayToClient(lateNanos);
                loseAllAtLast();
            }
            connection.toClient(() -> reply.accept(answer));
        }));
    }

    /** Subscribes a connection to a channel. Sooner or later, the server forgets a connection that is broken. */
    void subscribe(Connection connection, String channel, Consumer<String> messages, Runnable confirmed) {
        if (successor != null) {
            successor.subscribe(connection, channel, messages, confirmed);
            return;
        }
        Consumer<String> subscriber = message -> connection.toClient(() -> messages.accept(message));
        connection.onBrokenForServer(() -> model.unsubscribe(channel, subscriber));
        connection.toServer(() -> whenRunning(connection, () -> {
            model.subscribe(channel, subscriber);
            connection.toClient(confirmed);
        }));
    }

    private void whenRunning(Connection connection, Runnable work) {
        if (pausedUntil > world.nanoTime()) {
            world.at(pausedUntil, () -> whenRunning(connection, work));
        } else if (!connection.isBroken()) {
            work.run();
        }
    }

    private boolean isDown() {
        return downUntil > world.nanoTime();
    }

    String name() {
        return name;
    }

    // For the cluster

    void joinCluster(Admission newAdmission, BiConsumer<String, String> bus) {
        admission = newAdmission;
        model.publishesTo(bus);
    }

    /** Sends a message of another node to the subscribers of this one. */
    void deliver(String channel, String message) {
        if (!isDown()) {
            var unused = model.deliver(channel, message);
        }
    }

    boolean isRunning() {
        return !isDown() && pausedUntil <= world.nanoTime();
    }

    boolean has(String key) {
        return model.has(key);
    }

    List<String> keyNames() {
        return model.keyNames();
    }

    void moveKey(String key, RedisNode to) {
        model.moveKey(key, to.model);
    }

    // Faults

    /** Ends the process. Another one takes its place later, with the same data. */
    void restart(long downNanos) {
        world.trace(name, () -> "ends, and is down for " + downNanos / 1_000_000 + " ms");
        downUntil = Math.max(downUntil, world.nanoTime() + downNanos);
        breakConnections();
        model.restart(newRunId());
    }

    /** Loses all data. */
    void loseAll() {
        world.trace(name, () -> "loses its data");
        model.loseAll();
    }

    /** Loses all data after the next command that adds a key, such as an acquire. Its answer is late. */
    void loseAllAfterNext(long nanos) {
        losesAllAfterNext = true;
        lateNanos = nanos;
    }

    /** Loses all data now if no command has come since {@link #loseAllAfterNext}. */
    void loseAllAtLast() {
        if (losesAllAfterNext) {
            losesAllAfterNext = false;
            loseAll();
        }
    }

    /** Lets the next process have the data of some time ago. */
    void loseLast(long nanos) {
        world.trace(name, () -> "loses the changes of the last " + nanos / 1_000_000 + " ms");
        model.loseChangesSince(world.nanoTime() - nanos);
    }

    /** Stops the process for some time. The system goes on to accept connections and data. */
    void pause(long nanos) {
        world.trace(name, () -> "stands still for " + nanos / 1_000_000 + " ms");
        pausedUntil = Math.max(pausedUntil, world.nanoTime() + nanos);
    }

    /** Breaks all connections. From now on, another server serves the clients of this one. */
    void goOnAs(RedisNode other) {
        breakConnections();
        successor = other;
    }

    void breakConnections() {
        world.trace(name, () -> "loses " + open.size() + " connections");
        List.copyOf(open).forEach(Connection::breakOff);
        open.clear();
    }

    void stepClock(long micros) {
        world.trace(name, () -> "has its clock set by " + micros / 1_000 + " ms");
        clock.step(micros);
    }

    /** Ends all faults but the steps of the clock. */
    void heal() {
        downUntil = 0;
        pausedUntil = 0;
    }

    /** Lets a member of a quorum have had its data for long, so that it votes at once. */
    void hasAllData(String key, Duration since) {
        long micros = clock.micros() - since.toNanos() / 1_000;
        model.execute(Stream.of("SET", key, micros + "\t" + model.runId())
                .map(word -> word.getBytes(UTF_8))
                .toList());
    }

    /** Returns whether a key exists that ends so for each such key that ever existed. */
    boolean keepsAll(String ending) {
        return model.keepsAll(ending);
    }

    /** Returns the keys that are left when the clock is not behind any more, one in each line. */
    List<String> keys() {
        clock.correct();
        return model.keys().stream().map(key -> name + " has " + key).toList();
    }
}
