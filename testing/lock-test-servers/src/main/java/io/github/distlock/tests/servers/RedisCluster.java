package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A Redis Cluster of several primaries, each with the same number of replicas. All nodes are processes of this machine.
 *
 * <p>As a {@link Server}, it has all faults of its nodes at once: it pauses, kills and restarts all of them.
 */
public final class RedisCluster implements Server {
    private static final int SLOTS = 16_384;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int MIGRATION_MILLIS = 5_000;

    private final List<RedisServer> nodes = new ArrayList<>();
    private final int primaries;

    private RedisCluster(int primaries) {
        this.primaries = primaries;
    }

    /**
     * Starts a cluster.
     *
     * @param primaries how many nodes serve slots, each an equal part of them
     * @param replicas how many replicas each of them has
     * @param nodeTimeout after which silence the nodes count a node as failed
     * @param configLines lines for the end of the configuration of each node; if they name a certificate, clients can
     *     connect with TLS
     * @return a cluster of which each node knows all, and whose slots are all served
     * @throws IllegalStateException if that does not happen within 60 s
     */
    public static RedisCluster start(int primaries, int replicas, Duration nodeTimeout, String... configLines) {
        RedisCluster cluster = new RedisCluster(primaries);
        try {
            List<String> lines = new ArrayList<>(List.of(configLines));
            lines.add(RedisMachines.CLUSTER_ENABLED);
            lines.add("cluster-node-timeout " + nodeTimeout.toMillis());
            lines.add("cluster-require-full-coverage no");
            lines.add("repl-diskless-sync yes");
            lines.add("repl-diskless-sync-delay 0");
            for (int i = 0; i < primaries * (1 + replicas); i++) {
                RedisServer node = RedisServer.newProcess(lines);
                cluster.nodes.add(node);
                node.startOrClose();
            }
            cluster.form();
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
        RedisMachines.kind().announce(cluster);
        return cluster;
    }

    /** The first nodes get the slots. The others become their replicas, one after the other. */
    private void form() {
        RedisServer first = nodes.get(0);
        for (int i = 0; i < nodes.size(); i++) {
            RedisServer node = nodes.get(i);
            succeed(node, "CLUSTER SET-CONFIG-EPOCH " + (i + 1));
            succeed(node, "CLUSTER MEET " + first.host() + " " + first.portForServers());
        }
        for (int i = 0; i < primaries; i++) {
            String slots = IntStream.range(i * SLOTS / primaries, (i + 1) * SLOTS / primaries)
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining(" "));
            succeed(nodes.get(i), "CLUSTER ADDSLOTS " + slots);
        }
        awaitOk();
        for (int i = primaries; i < nodes.size(); i++) {
            succeed(nodes.get(i), "CLUSTER REPLICATE " + id(nodes.get(i % primaries)));
        }
        awaitOk();
    }

    /** Waits up to 60 s until each node knows all nodes, counts all slots as served, and replicas have their data. */
    public void awaitOk() {
        Waiting.await("the cluster is complete", PATIENCE, () -> nodes.stream().allMatch(this::isComplete));
    }

    private boolean isComplete(RedisServer node) {
        String info = ask(node, "CLUSTER INFO");
        String replication = replication(node);
        return info.contains("cluster_state:ok")
                && info.contains("cluster_known_nodes:" + nodes.size())
                && info.contains("cluster_size:" + primaries)
                && info.contains("cluster_slots_ok:" + SLOTS)
                && !replication.contains("master_link_status:down");
    }

    /**
     * Waits up to 60 s until all nodes run and each primary has its replicas. These then have received all that their
     * primary had stored at the time of the call.
     */
    public void awaitReplicas() {
        awaitOk();
        Waiting.await("the replicas have all data", PATIENCE, () -> {
            Map<Integer, Long> written = new HashMap<>();
            nodes.forEach(node ->
                    written.put(node.portForServers(), Long.parseLong(field(replication(node), "master_repl_offset"))));
            List<String> replicas = nodes.stream()
                    .map(RedisCluster::replication)
                    .filter(info -> info.contains("role:slave"))
                    .toList();
            return replicas.size() == nodes.size() - primaries
                    && replicas.stream()
                            .allMatch(info -> Long.parseLong(field(info, "slave_repl_offset"))
                                    >= written.getOrDefault(
                                            Integer.parseInt(field(info, "master_port")), Long.MAX_VALUE));
        });
    }

    private static String replication(RedisServer node) {
        return ask(node, "INFO replication");
    }

    /** Returns what follows a name and a colon in a reply. */
    private static String field(String reply, String name) {
        return reply.lines()
                .filter(line -> line.startsWith(name + ":"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + name + " in " + reply))
                .substring(name.length() + 1);
    }

    /**
     * Returns the first replica of a primary.
     *
     * @param primary a node that serves slots
     * @return a node that takes its place if it fails
     */
    public RedisServer replicaOf(RedisServer primary) {
        return nodes.stream()
                .filter(node -> node != primary && node.isRunning())
                .filter(node -> replication(node).contains("master_port:" + primary.portForServers() + "\r\n"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(primary.address() + " has no replica"));
    }

    private static String ask(RedisServer node, String command) {
        return node.ask(command + "\r\n", MachineServer.LONG_TIMEOUT_MILLIS);
    }

    private static void succeed(RedisServer node, String command) {
        String reply = ask(node, command);
        if (!reply.startsWith("+OK")) {
            throw new IllegalStateException(node.address() + " answers " + reply + " to "
                    + command.lines().findFirst());
        }
    }

    private static String id(RedisServer node) {
        return ask(node, "CLUSTER MYID").lines().skip(1).findFirst().orElseThrow();
    }

    /**
     * Returns the node that serves a key, as the first running node says.
     *
     * @param key the key
     * @return a primary
     */
    public RedisServer primaryOf(String key) {
        return primaryOf(slot(key));
    }

    private int slot(String key) {
        return Integer.parseInt(ask(anyRunning(), "CLUSTER KEYSLOT " + key)
                .lines()
                .findFirst()
                .orElseThrow()
                .substring(1));
    }

    private RedisServer anyRunning() {
        List<RedisServer> found = new ArrayList<>();
        Waiting.await("a node answers", PATIENCE, () -> {
            nodes.stream().filter(RedisCluster::answersNow).findFirst().ifPresent(found::add);
            return !found.isEmpty();
        });
        return found.get(0);
    }

    /** Does not wait for long, because the node may be paused. */
    private static boolean answersNow(RedisServer node) {
        return node.isRunning() && node.ask("PING\r\n").startsWith("+PONG");
    }

    private RedisServer primaryOf(int slot) {
        return primaryOf(slot, anyRunning());
    }

    private RedisServer primaryOf(int slot, RedisServer asked) {
        // The first line of each node is: id host:port@bus flags primary ping pong epoch link slot slot …
        for (String line : ask(asked, "CLUSTER NODES").lines().toList()) {
            String[] words = line.split(" ", -1);
            for (int i = 8; i < words.length; i++) {
                String[] range = words[i].split("-", -1);
                if (!words[i].startsWith("[")
                        && Integer.parseInt(range[0]) <= slot
                        && slot <= Integer.parseInt(range[range.length - 1])) {
                    String address = words[1].substring(0, words[1].indexOf('@'));
                    return nodes.stream()
                            .filter(node -> node.address().equals(address))
                            .findFirst()
                            .orElseThrow();
                }
            }
        }
        throw new IllegalStateException("no node serves the slot " + slot);
    }

    /**
     * Moves the slot of a key, with all its keys, to another primary.
     *
     * @param key any key of the slot
     * @param target the node that serves the slot afterwards
     */
    public void migrate(String key, RedisServer target) {
        beginMigration(key, target);
        endMigration(key, target);
    }

    /**
     * Begins to move the slot of a key: new keys go to the other primary, and present ones stay.
     *
     * @param key any key of the slot
     * @param target the node that will serve the slot
     */
    public void beginMigration(String key, RedisServer target) {
        int slot = slot(key);
        RedisServer source = primaryOf(slot);
        succeed(target, "CLUSTER SETSLOT " + slot + " IMPORTING " + id(source));
        succeed(source, "CLUSTER SETSLOT " + slot + " MIGRATING " + id(target));
    }

    /**
     * Moves the keys of a slot whose migration has begun, and makes the other primary the one that serves it. Waits up
     * to 60 s until all nodes that answer know that.
     *
     * @param key any key of the slot
     * @param target the node that serves the slot afterwards
     */
    public void endMigration(String key, RedisServer target) {
        int slot = slot(key);
        RedisServer source = primaryOf(slot);
        while (true) {
            List<String> keys = ask(source, "CLUSTER GETKEYSINSLOT " + slot + " 100")
                    .lines()
                    .filter(line -> !line.startsWith("*") && !line.startsWith("$") && !line.startsWith("+"))
                    .toList();
            if (keys.isEmpty()) {
                break;
            }
            // A key that has expired meanwhile is answered with NOKEY.
            String reply = ask(
                    source,
                    "MIGRATE " + target.host() + " " + target.port() + " \"\" 0 " + MIGRATION_MILLIS + " KEYS "
                            + String.join(" ", keys));
            if (!reply.startsWith("+")) {
                throw new IllegalStateException("cannot migrate " + keys + ": " + reply);
            }
        }
        succeed(target, "CLUSTER SETSLOT " + slot + " NODE " + id(target));
        succeed(source, "CLUSTER SETSLOT " + slot + " NODE " + id(target));
        // The others hear of it from the target.
        Waiting.await(
                "all nodes know who serves the slot",
                PATIENCE,
                () -> nodes.stream()
                        .filter(RedisCluster::answersNow)
                        .allMatch(node -> primaryOf(slot, node) == target));
    }

    /** {@return the address for clients, as {@code redis-cluster://host:port,host:port}} */
    public String uri() {
        return "redis-cluster://" + address();
    }

    /**
     * Returns the address for clients with TLS.
     *
     * @return as {@code rediss-cluster://host:port,host:port}
     * @throws IllegalStateException if the configuration names no certificate
     */
    public String tlsUri() {
        return "rediss-cluster://" + nodes.stream().map(RedisServer::tlsAddress).collect(Collectors.joining(","));
    }

    /** {@return all nodes: those that were primaries at the start first} */
    @Override
    public List<RedisServer> members() {
        return List.copyOf(nodes);
    }

    @Override
    public String host() {
        return nodes.get(0).host();
    }

    @Override
    public int port() {
        return nodes.get(0).port();
    }

    @Override
    public String address() {
        return nodes.stream().map(Server::address).collect(Collectors.joining(","));
    }

    @Override
    public String version() {
        return nodes.get(0).version();
    }

    /** {@return whether no node's process has ended} */
    @Override
    public boolean isRunning() {
        return nodes.stream().allMatch(Server::isRunning);
    }

    @Override
    public String output() {
        return nodes.stream()
                .map(node -> node.address() + ":\n" + node.output())
                .collect(Collectors.joining("\n"));
    }

    /** Pauses all nodes. */
    @Override
    public void pause() {
        nodes.forEach(Server::pause);
    }

    /** Resumes all nodes. */
    @Override
    public void resume() {
        nodes.forEach(Server::resume);
    }

    /** Kills all nodes. */
    @Override
    public void kill() {
        nodes.forEach(Server::kill);
    }

    /**
     * Restarts all nodes on the same ports. Stops running nodes in an orderly manner first. Without their data, the
     * nodes keep their slots.
     *
     * @param withData true to keep the stored data, false to start empty
     */
    @Override
    public void restart(boolean withData) {
        if (!withData) {
            resume();
            nodes.stream().filter(node -> !node.isRunning()).forEach(node -> {
                node.launch();
                node.awaitReady();
            });
            awaitOk();
            nodes.forEach(node -> ask(node, "FLUSHALL"));
        }
        nodes.forEach(node -> node.end(true));
        nodes.forEach(MachineServer::launch);
        nodes.forEach(MachineServer::awaitReady);
        awaitOk();
    }

    /** Ends all nodes and deletes their data. A second call does nothing. */
    @Override
    public void close() {
        nodes.forEach(Server::close);
    }
}
