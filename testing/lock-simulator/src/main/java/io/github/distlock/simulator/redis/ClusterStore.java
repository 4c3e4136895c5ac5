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
    /** Between two steps of a move. */
    private static final long LONGEST_PAUSE_OF_A_MOVE = NANOS / 2;
    /** A slot has up to six keys. */
    private static final int MOST_PAUSES_OF_A_MOVE = 7;

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
    public long strike(String fault, long choice) {
        SplittableRandom random = new SplittableRandom(choice);
        RedisNode node = cluster.nodes().get(random.nextInt(NODES));
        return world.nanoTime()
                + switch (fault) {
                    case MOVE -> move(node, random);
                    case "restart" -> {
                        long down = random.nextLong(2 * NANOS);
                        node.restart(down);
                        yield down;
                    }
                    case "pause" -> {
                        long paused = random.nextLong(3 * NANOS);
                        node.pause(paused);
                        yield paused;
                    }
                    case "break" -> {
                        node.breakConnections();
                        yield 0;
                    }
                    default -> throw new IllegalArgumentException("no fault of a cluster: " + fault);
                };
    }

    /** Returns how long the move takes unless its nodes are paused, or 0 if none begins. */
    private long move(RedisNode to, SplittableRandom random) {
        List<Integer> slots = cluster.slotsInUse();
        if (slots.isEmpty()) {
            return 0;
        }
        int slot = slots.get(random.nextInt(slots.size()));
        long pause = 1 + random.nextLong(LONGEST_PAUSE_OF_A_MOVE);
        return cluster.move(slot, to, pause) ? MOST_PAUSES_OF_A_MOVE * pause : 0;
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
