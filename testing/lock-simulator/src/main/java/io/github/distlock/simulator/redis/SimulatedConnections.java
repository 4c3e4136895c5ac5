package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The connections of one process to one server. Either each purpose has a connection that all threads use at once, as
 * with Lettuce. Or each request has a connection of its own, as with the pool of Jedis, so that a late answer may be
 * overtaken. All threads of a simulation run one after the other, and another one runs only when one waits. So nothing
 * here needs a lock.
 */
final class SimulatedConnections implements Connections {
    static final String CLOSED = "the Redis backend is closed";

    private final RedisNode node;
    private final ConnectionContext context;
    private final List<Lane> requests = new ArrayList<>();
    private final boolean isPooled;
    private final Lane upkeep;
    private final SimulatedProcess process;
    private final World world;
    private boolean isClosed;

    SimulatedConnections(RedisNode node, SimulatedProcess process, ConnectionContext context, World world) {
        this.node = node;
        this.process = process;
        this.context = context;
        this.world = world;
        this.isPooled = world.random().nextBoolean();
        this.upkeep = new Lane(node, process, world);
    }

    @Override
    public List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline)
            throws InterruptedException {
        return send(commands, purpose, deadline, false);
    }

    /** As the other method, with {@code ASKING} before each command if a node of a cluster has sent them here. */
    List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline, boolean asking)
            throws InterruptedException {
        List<List<byte[]>> all = new ArrayList<>(commands.size());
        for (LockCommand command : commands) {
            List<byte[]> words = new ArrayList<>(1 + command.arguments().size());
            words.add(command.name().getBytes(UTF_8));
            words.addAll(command.arguments());
            all.add(words);
        }
        return exchange(all, purpose, deadline, asking);
    }

    private List<Object> exchange(List<List<byte[]>> commands, Purpose purpose, Deadline deadline, boolean asking)
            throws InterruptedException {
        Lane lane = purpose == Purpose.REQUEST ? forRequest() : upkeep;
        Link.Exchange exchange = lane.exchange(commands, deadline, asking);
        if (exchange.isBroken()) {
            context.connectionLost(node.name());
        }
        process.answered(exchange.answeredAt());
        return exchange.replies();
    }

    private Lane forRequest() {
        for (Lane lane : requests) {
            if (!isPooled || lane.isIdle()) {
                return lane;
            }
        }
        Lane added = new Lane(node, process, world);
        if (isClosed) {
            added.close();
        }
        requests.add(added);
        return added;
    }

    @Override
    public Object server(byte[] lockKey) {
        return node.name();
    }

    @Override
    public boolean isOneServer() {
        return true;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        return new SimulatedListening(channel, messages, subscribed, node, process, world);
    }

    @Override
    public List<Server> servers(Deadline deadline) {
        return List.of(new OnlyServer());
    }

    private final class OnlyServer implements Server {
        @Override
        public String address() {
            return node.name();
        }

        @Override
        public boolean failsOver() {
            return false;
        }

        @Override
        public boolean keeps(byte[] lockKey) {
            return true;
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException {
            List<Object> replies = exchange(
                    commands.stream()
                            .map(words -> words.stream()
                                    .map(word -> word.getBytes(UTF_8))
                                    .toList())
                            .toList(),
                    Purpose.REQUEST,
                    deadline,
                    false);
            for (Object reply : replies) {
                if (reply instanceof RuntimeException error && !(error instanceof ErrorReply)) {
                    throw error;
                }
            }
            return replies;
        }
    }

    @Override
    public void requireMayWait() {
        // No thread of the application receives answers.
    }

    @Override
    public void disconnect() {
        requests.forEach(Lane::disconnect);
        upkeep.disconnect();
    }

    @Override
    public void close() {
        isClosed = true;
        requests.forEach(Lane::close);
        upkeep.close();
    }

    @Override
    public String toString() {
        return node.name();
    }
}
