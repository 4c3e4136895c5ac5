package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.Deadline;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.models.partitions.Partitions;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a cluster. The {@linkplain RedisClusterClient#getPartitions partitions} of the caller-supplied client
 * say which node keeps a slot. They are read again after a redirection and after a failure.
 *
 * <p><b>Connections.</b> The client's own connections to nodes connect again and repeat commands. So the backend has a
 * {@link RedisClient} of its own, with the resources and options of the caller-supplied one and the addresses and
 * credentials of its partitions. Each node has its own connections, so that a dead node delays no others.
 *
 * <p><b>A node that fails.</b> Reading the partitions can last as long as the client's timeouts, because the client
 * waits for all nodes. So for a second after a failure, another node gets the commands for the node's slots. It
 * redirects them to the node that serves the slot by then. A redirection counts until the partitions have been read.
 */
final class ClusterNodes implements Deployment {
    private static final Pattern REDIRECTION = Pattern.compile("(MOVED|ASK) (\\d+) (.*):(\\d{1,5}).*");
    private static final long DOUBTED_NANOS = Duration.ofSeconds(1).toNanos();

    private final RedisClusterClient client;
    private final RedisClient connector;
    private final ConnectionContext context;
    private final Map<String, Node> nodes = new ConcurrentHashMap<>();
    /** The slots that nodes have redirected since the partitions were read, and the addresses of their nodes. */
    private final Map<Integer, String> moved = new ConcurrentHashMap<>();
    /** When each node has failed last. */
    private final Map<Node, Long> failures = new ConcurrentHashMap<>();

    private final AtomicReference<@Nullable Reading> latest = new AtomicReference<>();
    private volatile @Nullable Partitions partitions;
    private volatile boolean closed;

    /** One reading of the partitions. */
    private final class Reading {
        private final long begunAt = context.clock().nanoTime();
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile @Nullable Throwable failure;

        private boolean isRecent() {
            return context.clock().nanoTime() - begunAt < DOUBTED_NANOS;
        }

        private void begin() {
            try {
                var unused = client.refreshPartitionsAsync().whenComplete((none, error) -> end(error));
            } catch (RuntimeException | Error e) {
                end(e);
            }
        }

        private void end(@Nullable Throwable error) {
            failure = error;
            if (error == null) {
                moved.clear();
                partitions = client.getPartitions();
                closeLeftNodes();
            }
            done.countDown();
        }
    }

    ClusterNodes(RedisClusterClient client, ConnectionContext context) {
        this.client = client;
        this.context = context;
        this.connector = RedisClient.create(client.getResources());
        this.connector.setOptions(
                client.getOptions().mutate().autoReconnect(false).build());
    }

    /** Reads the partitions, unless that began within the last second. */
    private Reading read() {
        while (true) {
            Reading last = latest.get();
            if (last != null && last.isRecent()) {
                return last;
            }
            Reading next = new Reading();
            if (latest.compareAndSet(last, next)) {
                next.begin();
                return next;
            }
        }
    }

    private Partitions partitions(Deadline deadline) throws InterruptedException {
        Partitions known = partitions;
        if (known == null) {
            Reading reading = read();
            boolean inTime = reading.done.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
            known = partitions;
            Throwable failure = reading.failure;
            if (known == null && inTime && failure != null) {
                throw Errors.translated(Errors.cause(failure));
            }
        }
        if (known == null) {
            throw new RedisConnectionException("the nodes of the cluster are not known in time");
        }
        return known;
    }

    private static int slot(byte[] key) {
        return SlotHash.getSlot(key);
    }

    private static String address(RedisURI uri) {
        return uri.getHost() + ":" + uri.getPort();
    }

    @Override
    public Object server(byte[] lockKey) {
        int slot = slot(lockKey);
        String redirected = moved.get(slot);
        Partitions known = partitions;
        RedisClusterNode node = known == null ? null : known.getPartitionBySlot(slot);
        if (redirected != null) {
            return redirected;
        }
        return node == null ? "" : address(node.getUri());
    }

    @Override
    public Route route(byte[] lockKey, Deadline deadline) throws InterruptedException {
        Partitions known = partitions(deadline);
        int slot = slot(lockKey);
        String redirected = moved.get(slot);
        RedisClusterNode serving = known.getPartitionBySlot(slot);
        Node node = null;
        if (redirected != null) {
            node = nodes.get(redirected);
        }
        if (node == null && serving != null) {
            node = node(serving.getUri());
        }
        if (node == null) {
            var unused = read();
            node = any(deadline);
        }
        return new Route(isDoubted(node) ? any(deadline) : node, false);
    }

    private boolean isDoubted(Node node) {
        Long failedAt = failures.get(node);
        return failedAt != null && context.clock().nanoTime() - failedAt < DOUBTED_NANOS;
    }

    private Node node(RedisURI uri) {
        String address = address(uri);
        Node node = nodes.computeIfAbsent(address, server -> new Node(new NodeDialer(connector, uri), server, context));
        if (closed) {
            node.close(Errors.CLOSED);
        }
        return node;
    }

    /** Returns a node at random, of those that have not just failed if there is one. */
    @Override
    public Node any(Deadline deadline) throws InterruptedException {
        List<Node> all = new ArrayList<>(
                primaries(deadline).stream().map(node -> node(node.getUri())).toList());
        if (all.isEmpty()) {
            throw new RedisConnectionException("the cluster has no primary");
        }
        Collections.shuffle(all);
        return all.stream().filter(node -> !isDoubted(node)).findFirst().orElse(all.get(0));
    }

    private List<RedisClusterNode> primaries(Deadline deadline) throws InterruptedException {
        return partitions(deadline).getPartitions().stream()
                .filter(node -> !node.getSlots().isEmpty())
                .toList();
    }

    @Override
    public @Nullable Route redirected(Route from, byte[] lockKey, String words) {
        Matcher redirection = REDIRECTION.matcher(words);
        Partitions known = partitions;
        if (!redirection.matches() || known == null || known.isEmpty()) {
            return null;
        }
        RedisURI any = known.getPartition(0).getUri();
        String host = redirection.group(3).isEmpty()
                ? ((String) from.node().server()).replaceFirst(":\\d+$", "")
                : redirection.group(3);
        int port = Integer.parseInt(redirection.group(4));
        RedisClusterNode named = known.getPartition(host, port);
        Node to = node(
                named != null
                        ? named.getUri()
                        : RedisURI.builder(any).withHost(host).withPort(port).build());
        boolean asking = redirection.group(1).equals("ASK");
        if (!asking && !to.server().equals(server(lockKey))) {
            moved.put(slot(lockKey), (String) to.server());
            var unused = read();
        }
        return new Route(to, asking);
    }

    @Override
    public void failed(Node node) {
        failures.put(node, context.clock().nanoTime());
        var unused = read();
    }

    private void closeLeftNodes() {
        Partitions known = partitions;
        if (known == null) {
            return;
        }
        Set<String> present = known.getPartitions().stream()
                .map(node -> address(node.getUri()))
                .collect(Collectors.toSet());
        nodes.forEach((address, node) -> {
            if (!present.contains(address) && nodes.remove(address, node)) {
                node.close(address + " has left the cluster");
            }
        });
        failures.keySet().removeIf(node -> !nodes.containsValue(node));
    }

    @Override
    public List<Connections.Server> servers(Deadline deadline) throws InterruptedException {
        Reading reading = read();
        var unused = reading.done.await(deadline.remainingNanos() / 2, TimeUnit.NANOSECONDS);
        List<Connections.Server> servers = new ArrayList<>();
        for (RedisClusterNode each : primaries(deadline)) {
            Node node = node(each.getUri());
            servers.add(new NodeServer(
                    node,
                    (String) node.server(),
                    true,
                    lockKey -> server(lockKey).equals(node.server())));
        }
        return servers;
    }

    @Override
    public void disconnect() {
        Deadline soon = Closing.soon(context.clock());
        nodes.values().forEach(node -> node.disconnect(soon));
    }

    @Override
    public void close() {
        closed = true;
        nodes.values().forEach(node -> node.close(Errors.CLOSED));
        Deadline soon = Closing.soon(context.clock());
        nodes.values().forEach(node -> node.awaitClosed(soon));
        var unused = connector.shutdownAsync(0, 0, TimeUnit.SECONDS);
    }

    @Override
    public String toString() {
        return "the cluster of the Lettuce client";
    }
}
