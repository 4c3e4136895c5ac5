package io.github.distlock.simulator.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The connections of one process to the nodes of a cluster. They know which node serves each slot, and follow
 * redirections: {@code MOVED} changes the map, and {@code ASK} sends one request elsewhere.
 */
final class ClusterConnections implements Connections {
    private static final int MOST_REDIRECTIONS = 5;

    private final RedisCluster cluster;
    private final SimulatedProcess process;
    private final World world;
    private final Map<RedisNode, SimulatedConnections> nodes = new LinkedHashMap<>();
    /** The slots that have moved, as far as this process knows. */
    private final Map<Integer, RedisNode> moved = new HashMap<>();

    /** Where a command goes, and whether an {@code ASK} sends it there. */
    private record Target(RedisNode node, boolean asking) {}

    ClusterConnections(RedisCluster cluster, SimulatedProcess process, ConnectionContext context, World world) {
        this.cluster = cluster;
        this.process = process;
        this.world = world;
        cluster.nodes().forEach(node -> nodes.put(node, new SimulatedConnections(node, process, context, world)));
    }

    private RedisNode node(byte[] lockKey) {
        int slot = RedisCluster.slot(lockKey);
        return moved.getOrDefault(slot, cluster.firstOwner(slot));
    }

    @Override
    public List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline)
            throws InterruptedException {
        List<Object> replies =
                new ArrayList<>(Collections.nCopies(commands.size(), new IllegalStateException("not sent in time")));
        Map<Integer, Target> pending = new LinkedHashMap<>();
        for (int i = 0; i < commands.size(); i++) {
            pending.put(i, new Target(node(commands.get(i).lockKey()), false));
        }
        for (int i = 0; i <= MOST_REDIRECTIONS && !pending.isEmpty(); i++) {
            for (Map.Entry<Target, List<Integer>> group : byTarget(pending).entrySet()) {
                List<Integer> sent = group.getValue();
                List<Object> answers = exchange(
                        group.getKey(), sent.stream().map(commands::get).toList(), purpose, deadline);
                for (int j = 0; j < answers.size(); j++) {
                    replies.set(sent.get(j), answers.get(j));
                }
            }
            pending = redirected(commands, replies, pending);
        }
        for (int redirectedTooOften : pending.keySet()) {
            replies.set(redirectedTooOften, new IllegalStateException("redirected too often"));
        }
        return replies;
    }

    private static Map<Target, List<Integer>> byTarget(Map<Integer, Target> pending) {
        Map<Target, List<Integer>> byTarget = new LinkedHashMap<>();
        pending.forEach((command, target) ->
                byTarget.computeIfAbsent(target, any -> new ArrayList<>()).add(command));
        return byTarget;
    }

    private List<Object> exchange(Target target, List<LockCommand> commands, Purpose purpose, Deadline deadline)
            throws InterruptedException {
        try {
            return requireNonNull(nodes.get(target.node)).send(commands, purpose, deadline, target.asking);
        } catch (IllegalStateException e) {
            return new ArrayList<>(Collections.nCopies(commands.size(), e));
        }
    }

    private Map<Integer, Target> redirected(
            List<LockCommand> commands, List<Object> replies, Map<Integer, Target> sent) {
        Map<Integer, Target> redirected = new LinkedHashMap<>();
        for (int i : sent.keySet()) {
            if (replies.get(i) instanceof ErrorReply error) {
                String words = String.valueOf(error.getMessage());
                if (words.startsWith("MOVED ")) {
                    RedisNode target = cluster.target(words);
                    moved.put(RedisCluster.slot(commands.get(i).lockKey()), target);
                    redirected.put(i, new Target(target, false));
                } else if (words.startsWith("ASK ")) {
                    redirected.put(i, new Target(cluster.target(words), true));
                }
            }
        }
        return redirected;
    }

    @Override
    public Object server(byte[] lockKey) {
        return node(lockKey).name();
    }

    @Override
    public boolean isOneServer() {
        return false;
    }

    /** Each node publishes what any node does. */
    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        int any = (int) Math.floorMod(process.random().nextLong(), (long) nodes.size());
        RedisNode node = cluster.nodes().get(any);
        return new SimulatedListening(channel, messages, subscribed, node, process, world);
    }

    @Override
    public List<Server> servers(Deadline deadline) throws InterruptedException {
        List<Server> servers = new ArrayList<>();
        for (SimulatedConnections each : nodes.values()) {
            servers.addAll(each.servers(deadline));
        }
        return IntStream.range(0, servers.size())
                .<Server>mapToObj(
                        i -> new Primary(servers.get(i), cluster.nodes().get(i)))
                .toList();
    }

    private final class Primary implements Server {
        private final Server server;
        private final RedisNode node;

        Primary(Server server, RedisNode node) {
            this.server = server;
            this.node = node;
        }

        @Override
        public String address() {
            return server.address();
        }

        @Override
        public boolean failsOver() {
            return false;
        }

        @Override
        public boolean keeps(byte[] lockKey) {
            return node(lockKey) == node;
        }

        @Override
        public List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException {
            return server.ask(commands, deadline);
        }
    }

    @Override
    public void requireMayWait() {
        // No thread of the application receives answers.
    }

    @Override
    public void disconnect() {
        nodes.values().forEach(SimulatedConnections::disconnect);
    }

    @Override
    public void close() {
        nodes.values().forEach(SimulatedConnections::close);
    }

    @Override
    public String toString() {
        return "a cluster";
    }
}
