package io.github.distlock.simulator.redis;

import io.github.distlock.redis.RedisQuorum;
import io.github.distlock.redis.RedisQuorumBuilder;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.SimulatedStore;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.history.HistoryRule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Three or five Redis servers that know nothing of each other. Locks are kept on a majority of them. */
public final class QuorumStore implements SimulatedStore {
    private static final String CLOCK_FORWARD = "clock forward";

    private static final Duration LONGEST_LEASE = Duration.ofMinutes(15);

    private static final long MICROS = 1_000_000;
    private static final long NANOS = 1_000_000_000;
    private static final double DRIFT = 0.005;
    /** Clocks of servers differ by less than the client expects. */
    private static final long MOST_APART = MICROS / 20;

    private static final String SINCE = "distlock:{quorum}:since";

    private final World world;
    private final List<RedisNode> nodes = new ArrayList<>();
    /** When servers have lost their votes. */
    private final Map<RedisNode, Long> silent = new LinkedHashMap<>();

    private final boolean trustsRestarts;

    /**
     * Makes a store.
     *
     * @param world the simulation
     * @param network between processes and servers
     */
    public QuorumStore(World world, Network network) {
        this.world = world;
        this.trustsRestarts = world.random().nextBoolean();
        int servers = world.random().nextInt(3) == 0 ? 5 : 3;
        for (int i = 1; i <= servers; i++) {
            RedisNode node = new RedisNode("redis" + i, 1 + world.random().nextDouble(-DRIFT, DRIFT), world, network);
            node.stepClock(world.random().nextLong(-MOST_APART, MOST_APART));
            node.hasAllData(SINCE, Duration.ofHours(1));
            nodes.add(node);
        }
    }

    @Override
    public LockBackend backend(SimulatedProcess process) {
        List<Function<ConnectionContext, Connections>> servers = new ArrayList<>();
        for (RedisNode node : nodes) {
            servers.add(context -> new SimulatedConnections(node, process, context, world));
        }
        RedisQuorumBuilder builder = RedisQuorum.builderOver(servers).longestLease(LONGEST_LEASE);
        return (trustsRestarts ? builder.trustRestarts() : builder).build();
    }

    @Override
    public List<String> servers() {
        return nodes.stream().map(RedisNode::name).toList();
    }

    /** A server that has restarted has no votes for that time. */
    @Override
    public Duration longestExpiry() {
        return LONGEST_LEASE;
    }

    @Override
    public List<String> faults() {
        return List.of("restart", "restart without data", "pause", "break");
    }

    @Override
    public List<String> excludedFaults() {
        return List.of(CLOCK_FORWARD);
    }

    /** Votes end early on the servers whose clocks are ahead. */
    @Override
    public Map<HistoryRule, Duration> exceptions(String fault) {
        return fault.equals(CLOCK_FORWARD)
                ? EXCLUSION.stream().collect(Collectors.toMap(rule -> rule, rule -> Duration.ZERO))
                : Map.of();
    }

    @Override
    public long strike(String fault, long choice) {
        SplittableRandom random = new SplittableRandom(choice);
        RedisNode node = nodes.get(random.nextInt(nodes.size()));
        long length = 0;
        switch (fault) {
            case "restart" -> length = restart(node, random.nextLong(2 * NANOS), false);
            case "restart without data" -> length = restart(node, random.nextLong(2 * NANOS), true);
            case "pause" -> {
                length = random.nextLong(3 * NANOS);
                node.pause(length);
            }
            case "break" -> node.breakConnections();
            case CLOCK_FORWARD -> node.stepClock(random.nextLong(60 * MICROS));
            default -> throw new IllegalArgumentException("no fault of a quorum: " + fault);
        }
        return world.nanoTime() + length;
    }

    /**
     * Restarts a server if only a minority has no votes then. A server whose data may be lost has none for the longest
     * lease. Returns how long the server is down.
     */
    private long restart(RedisNode node, long downNanos, boolean losesData) {
        long now = world.nanoTime();
        silent.values().removeIf(at -> at < now - LONGEST_LEASE.toNanos());
        if (losesData || !trustsRestarts) {
            boolean others =
                    silent.keySet().stream().filter(each -> each != node).count() >= nodes.size() / 2;
            if (others) {
                return 0;
            }
            silent.put(node, now);
        }
        node.restart(downNanos);
        if (losesData) {
            node.loseAll();
        }
        return downNanos;
    }

    @Override
    public void heal() {
        nodes.forEach(RedisNode::heal);
    }

    /** A server keeps tokens for longer, and knows always since when it has its data. */
    @Override
    public List<String> leftovers() {
        return nodes.stream()
                .flatMap(node -> node.keys().stream())
                .filter(key -> !key.contains("}:token") && !key.contains(SINCE))
                .toList();
    }
}
