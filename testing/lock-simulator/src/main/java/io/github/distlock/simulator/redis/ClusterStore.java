package io.github.distlock.simulator.redis;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.SimulatedStore;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A Redis Cluster of three primaries, whose slots move. The clocks of the nodes agree, because tokens rise during a
 * move only as far as they do.
 */
public final class ClusterStore implements SimulatedStore {
    private static final String TOKEN = "}:token";
    private static final String MOVE = "slot move";
    private static final int NODES = 3;
    private static final long NANOS = 1_000_000_000;
    private static final double DRIFT = 0.005;
    /** A slot has up to six keys, so most moves end within two seconds. */
    private static final long LONGEST_PAUSE_OF_A_MOVE = NANOS / 2;

    private final World world;
    private final RedisCluster cluster;

    /**
     * Makes a store.
     *
     * @param world the simulation
     * @param network between processes and the nodes
     */
    public ClusterStore(World world, Network network) {
        this.world = world;
        double rate = 1 + world.random().nextDouble(-DRIFT, DRIFT);
        List<RedisNode> nodes = new ArrayList<>();
        for (int i = 1; i <= NODES; i++) {
            nodes.add(new RedisNode("redis" + i, rate, world, network));
        }
        this.cluster = new RedisCluster(nodes, world);
    }

    @Override
    public LockBackend backend(SimulatedProcess process) {
        return RedisBackend.builder(context -> new ClusterConnections(cluster, process, context, world))
                .build();
    }

    @Override
    public List<String> servers() {
        return cluster.nodes().stream().map(RedisNode::name).toList();
    }

    /** As on one server. */
    @Override
    public Duration longestExpiry() {
        return Duration.ofSeconds(61);
    }

    @Override
    public List<String> faults() {
        return List.of(MOVE, MOVE, MOVE, "restart", "pause", "break");
    }

    @Override
    public List<String> excludedFaults() {
        return List.of();
    }

    @Override
    public void strike(String fault, long choice) {
        SplittableRandom random = new SplittableRandom(choice);
        RedisNode node = cluster.nodes().get(random.nextInt(NODES));
        switch (fault) {
            case MOVE -> move(node, random);
            case "restart" -> node.restart(random.nextLong(2 * NANOS));
            case "pause" -> node.pause(random.nextLong(3 * NANOS));
            case "break" -> node.breakConnections();
            default -> throw new IllegalArgumentException("no fault of a cluster: " + fault);
        }
    }

    private void move(RedisNode to, SplittableRandom random) {
        List<Integer> slots = cluster.slotsInUse();
        if (!slots.isEmpty()) {
            cluster.move(slots.get(random.nextInt(slots.size())), to, 1 + random.nextLong(LONGEST_PAUSE_OF_A_MOVE));
        }
    }

    @Override
    public void heal() {
        cluster.nodes().forEach(RedisNode::heal);
        cluster.heal();
    }

    /** The nodes keep tokens for longer. */
    @Override
    public List<String> leftovers() {
        return cluster.nodes().stream()
                .flatMap(node -> node.keys().stream())
                .filter(key -> !key.contains(TOKEN))
                .toList();
    }
}
