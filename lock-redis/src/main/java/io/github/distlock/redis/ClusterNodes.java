package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.ClusterKeyword;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.exceptions.JedisRedirectionException;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The primaries of a cluster. The slot of its key decides which of them keeps a lock.
 *
 * <p><b>The map.</b> {@link #slots} says which node serves each slot. Nodes of the cluster are asked for it at the
 * first request, after a redirection, and after a node has failed: all at once, and the answer with the greatest epoch
 * counts. {@code MOVED} changes one slot at once. {@code ASK} sends one request to another node, and changes nothing.
 *
 * <p><b>A wrong map is safe.</b> A node executes no request for a slot that it does not serve, and answers with a
 * redirection. So threads may change the map in any order: an old entry costs a redirection, which corrects it.
 *
 * <p><b>A node without slots.</b> If a new map has no slot for a node that had some, its connections are closed,
 * because the cluster has made another node the primary. A request under way there fails, and is sent to that node if
 * it is safe to repeat. All holds of the slots are renewed at once, because the new primary may not know them. A node
 * that never had a slot stays: it imports its first one, and {@code ASK} leads to it.
 */
final class ClusterNodes implements Topology {
    private static final int SLOTS = 16_384;
    private static final String REPLACED = "the cluster has given the slots of this node to another one";
    /** What names the server of a lock before the map is known. */
    private static final Object UNKNOWN = "";
    /** What a cluster that prefers host names says of a node without one. */
    private static final String UNKNOWN_HOST = "?";

    private final List<HostAndPort> seeds;
    private final Node.Shared shared;
    private final Inquiries<List<Range>> inquiries;
    private final Map<HostAndPort, Node> nodes = new ConcurrentHashMap<>();
    /** The nodes that have had a slot. */
    private final Set<Node> served = ConcurrentHashMap.newKeySet();

    private final AtomicReferenceArray<@Nullable Node> slots = new AtomicReferenceArray<>(SLOTS);
    /** Whether a node has redirected a request since the map was last asked for. */
    private volatile boolean outdated;

    private volatile boolean closed;

    /** Slots, all of which one primary serves. */
    record Range(int first, int last, HostAndPort primary) {
        boolean contains(byte[] key) {
            int slot = JedisClusterCRC16.getSlot(key);
            return first <= slot && slot <= last;
        }
    }

    /**
     * Sends nothing yet.
     *
     * @param seeds some nodes, which know the others
     */
    ClusterNodes(List<HostAndPort> seeds, Node.Shared shared) {
        this.seeds = seeds;
        this.shared = shared;
        this.inquiries = new Inquiries<>(
                node -> connection -> ask(connection, node),
                this::known,
                shared.config(),
                (answer, begunAt, isOfAll) -> learn(answer.content()),
                shared.late(),
                shared.context());
    }

    private Collection<HostAndPort> known() {
        Set<HostAndPort> known = new LinkedHashSet<>(nodes.keySet());
        known.addAll(seeds);
        return known;
    }

    /** Asks a node for the map of slots, and for its epoch. */
    static Inquiries.Answer<List<Range>> ask(Connection connection, HostAndPort asked) {
        connection.sendCommand(new CommandArguments(Command.CLUSTER).add(ClusterKeyword.INFO));
        connection.sendCommand(new CommandArguments(Command.CLUSTER).add(ClusterKeyword.SLOTS));
        List<Object> replies = connection.getMany(2);
        if (replies.get(1) instanceof JedisDataException error) {
            throw error;
        }
        List<Range> ranges = new ArrayList<>();
        for (Object each : Replies.list(replies.get(1))) {
            List<?> range = Replies.list(each);
            List<?> primary = Replies.list(range.get(2));
            ranges.add(new Range(slot(range.get(0)), slot(range.get(1)), address(primary, asked)));
        }
        if (ranges.isEmpty()) {
            throw new JedisDataException("CLUSTERDOWN the node knows of no slot that is served");
        }
        return new Inquiries.Answer<>(epoch(replies.get(0)), ranges);
    }

    private static int slot(@Nullable Object reply) {
        long slot = Replies.number(reply);
        if (slot < 0 || slot >= SLOTS) {
            throw new JedisDataException("ERR no slot of a cluster: " + slot);
        }
        return (int) slot;
    }

    /**
     * Returns the address of a node: its host, its port, its name, and on Redis 7 a list of names and values. A cluster
     * that prefers host names says {@code ?} for a node without one, and then its IP address in that list. Otherwise an
     * unknown host is the one at which the cluster was asked.
     */
    private static HostAndPort address(List<?> node, HostAndPort asked) {
        int port = Replies.port(node.get(1));
        String host = node.get(0) == null ? "" : Replies.text(node.get(0));
        if (host.equals(UNKNOWN_HOST) && node.size() > 3 && node.get(3) instanceof List<?> more) {
            for (int i = 0; i + 1 < more.size(); i += 2) {
                if (Replies.text(more.get(i)).equals("ip")) {
                    host = Replies.text(more.get(i + 1));
                }
            }
        }
        return new HostAndPort(host.isEmpty() || host.equals(UNKNOWN_HOST) ? asked.getHost() : host, port);
    }

    private static long epoch(Object info) {
        if (info instanceof byte[]) {
            String name = "cluster_current_epoch:";
            return Replies.text(info)
                    .lines()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.substring(name.length())))
                    .findFirst()
                    .orElse(0);
        }
        return 0;
    }

    private void learn(List<Range> ranges) {
        Map<Node, Set<Node>> successors = new HashMap<>();
        for (Range range : ranges) {
            Node node = node(range.primary);
            for (int slot = range.first; slot <= range.last; slot++) {
                Node former = assign(slot, node);
                if (former != null && former != node) {
                    successors.computeIfAbsent(former, any -> new HashSet<>()).add(node);
                }
            }
        }
        Set<Node> serving = serving();
        for (Node former : List.copyOf(served)) {
            if (!serving.contains(former)) {
                served.remove(former);
                nodes.remove(former.address(), former);
                former.close(REPLACED);
                successors
                        .getOrDefault(former, Set.of())
                        .forEach(successor -> shared.context().serverReplaced(successor.server()));
            }
        }
    }

    private @Nullable Node assign(int slot, Node node) {
        served.add(node);
        return slots.getAndSet(slot, node);
    }

    private Set<Node> serving() {
        Set<Node> serving = new HashSet<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            Node node = slots.get(slot);
            if (node != null) {
                serving.add(node);
            }
        }
        return serving;
    }

    private Node node(HostAndPort address) {
        Node node = nodes.computeIfAbsent(address, any -> new Node(address, address, shared));
        if (closed) {
            node.close(OwnConnections.CLOSED);
        }
        return node;
    }

    @Override
    public Object server(byte[] lockKey) {
        Node node = slots.get(JedisClusterCRC16.getSlot(lockKey));
        return node == null ? UNKNOWN : node.server();
    }

    @Override
    public Route route(byte[] lockKey, Deadline deadline) throws InterruptedException {
        return new Route(node(JedisClusterCRC16.getSlot(lockKey), deadline));
    }

    @Override
    public Node any(Deadline deadline) throws InterruptedException {
        List<Node> some = List.copyOf(served);
        return some.isEmpty()
                ? node(0, deadline)
                : some.get(ThreadLocalRandom.current().nextInt(some.size()));
    }

    private Node node(int slot, Deadline deadline) throws InterruptedException {
        if (closed) {
            throw new JedisConnectionException(OwnConnections.CLOSED);
        }
        refresh();
        Node node = slots.get(slot);
        if (node == null) {
            inquiries.begin().await(deadline);
            node = slots.get(slot);
        }
        if (node == null) {
            throw new JedisDataException("CLUSTERDOWN no node serves the slot " + slot);
        }
        return node;
    }

    /** Has the map asked for if a redirection has shown that it is outdated. The next request tries again. */
    private void refresh() {
        if (outdated) {
            outdated = false;
            if (!inquiries.tryBegin()) {
                outdated = true;
            }
        }
    }

    @Override
    public @Nullable Route afterFailure(Route failed, byte[] lockKey, JedisException error, Deadline deadline)
            throws InterruptedException {
        int slot = JedisClusterCRC16.getSlot(lockKey);
        if (error instanceof JedisRedirectionException redirection
                && !redirection.getTargetNode().getHost().equals(UNKNOWN_HOST)) {
            HostAndPort named = redirection.getTargetNode();
            String host = named.getHost().isEmpty() ? failed.node().address().getHost() : named.getHost();
            Node target = node(new HostAndPort(host, named.getPort()));
            if (!(error instanceof JedisMovedDataException)) {
                return new Route(target, true);
            }
            var unusedFormer = assign(slot, target);
            outdated = true;
            refresh();
            return new Route(target);
        }
        boolean mayBeElsewhere = error instanceof JedisConnectionException
                || error instanceof JedisRedirectionException
                || JedisCalls.isOfAnotherServer(error);
        if (closed || !mayBeElsewhere) {
            return null;
        }
        if (slots.get(slot) == failed.node()) {
            inquiries.askAfter(error, deadline);
        }
        Node now = slots.get(slot);
        return now == null || now == failed.node() ? null : new Route(now);
    }

    @Override
    public Collection<Node> serving(Deadline deadline) throws InterruptedException {
        if (closed) {
            throw new JedisConnectionException(OwnConnections.CLOSED);
        }
        try {
            inquiries.begin().await(deadline);
        } catch (JedisException e) {
            if (served.isEmpty()) {
                throw e;
            }
        }
        return serving();
    }

    @Override
    public boolean hasRedirections() {
        return true;
    }

    @Override
    public void disconnect() {
        inquiries.disconnect();
        nodes.values().forEach(Node::disconnect);
    }

    @Override
    public void close() {
        closed = true;
        inquiries.close();
        nodes.values().forEach(node -> node.close(OwnConnections.CLOSED));
    }

    @Override
    public String toString() {
        return "the cluster of " + seeds;
    }
}
