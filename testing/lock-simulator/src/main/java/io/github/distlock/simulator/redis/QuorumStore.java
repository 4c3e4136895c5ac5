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
import org.jspecify.annotations.Nullable;

/** Three or five Redis servers that know nothing of each other. Locks are kept on a majority of them. */
public final class QuorumStore implements SimulatedStore {
    private static final String CLOCK_FORWARD = "clock forward";

    private static final Duration TOMBSTONES = Duration.ofSeconds(61);

    private static final long MICROS = 1_000_000;
    private static final long NANOS = 1_000_000_000;
    private static final long LONGEST_PAUSE = 30 * NANOS;
    private static final double DRIFT = 0.005;
    /** Clocks of servers differ by less than the client expects. */
    private static final long MOST_APART = MICROS / 20;

    private static final String SINCE = "distlock:{quorum}:since";

    private final World world;
    private final Duration longestLease;
    private final List<RedisNode> nodes = new ArrayList<>();
    /** When servers have lost their votes. */
    private final Map<RedisNode, Long> silent = new LinkedHashMap<>();

    private final boolean trustsRestarts;
    private @Nullable RedisNode paused;
    private long pausedUntil;

    /**
     * Makes a store.
     *
     * @param world the simulation
     * @param network between processes and servers
     * @param longestLease of all clients, with lock delays and extensions
     */
    public QuorumStore(World world, Network network, Duration longestLease) {
        this.world = world;
        this.longestLease = longestLease;
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
        RedisQuorumBuilder builder = RedisQuorum.builderOver(servers).longestLease(longestLease);
        return (trustsRestarts ? builder.trustRestarts() : builder).build();
    }

    @Override
    public List<String> servers() {
        return nodes.stream().map(RedisNode::name).toList();
    }

    /** Tombstones stay for a minute. A server that has restarted has no votes for the longest lease. */
    @Override
    public Duration longestExpiry() {
        return TOMBSTONES.compareTo(longestLease) > 0 ? TOMBSTONES : longestLease;
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
            case "restart" -> {
                long wait = untilRestart(node, random);
                long down = downNanos(random);
                world.at(world.nanoTime() + wait, () -> {
                    if (trustsRestarts) {
                        node.restart(down);
                    } else {
                        restart(node, down, () -> loseSome(node, random));
                    }
                });
                length = wait + down;
            }
            case "restart without data" -> {
                length = downNanos(random);
                restart(node, length, node::loseAll);
            }
            case "pause" -> {
                length = lengthOfPause(node, random);
                node.pause(length);
            }
            case "break" -> node.breakConnections();
            case CLOCK_FORWARD -> node.stepClock(random.nextLong(60 * MICROS));
            default -> throw new IllegalArgumentException("no fault of a quorum: " + fault);
        }
        return world.nanoTime() + length;
    }

    /** One server at a time may stand still for long, so that all holds have a bare majority. */
    private long lengthOfPause(RedisNode node, SplittableRandom random) {
        long now = world.nanoTime();
        if (now < pausedUntil || random.nextBoolean()) {
            return random.nextLong(3 * NANOS);
        }
        long length = random.nextLong(LONGEST_PAUSE);
        paused = node;
        pausedUntil = now + length;
        return length;
    }

    /**
     * While one server stands still for long, another one often restarts shortly before the first one goes on. So the
     * first one has no vote for a hold that the other one may have lost.
     */
    private long untilRestart(RedisNode node, SplittableRandom random) {
        long left = pausedUntil - world.nanoTime();
        return left <= 0 || node == paused || random.nextInt(3) == 0
                ? 0
                : Math.max(0, left - random.nextLong(RedisNode.REMEMBERED_NANOS));
    }

    /** Short times are as likely as long ones, so that holds outlast restarts. */
    private static long downNanos(SplittableRandom random) {
        return (long) StrictMath.exp(random.nextDouble() * StrictMath.log(2.0 * NANOS));
    }

    /**
     * Restarts a server, which loses data, if only a minority has no votes then. The server has none for the longest
     * lease.
     */
    private void restart(RedisNode node, long downNanos, Runnable loss) {
        long now = world.nanoTime();
        silent.values().removeIf(at -> at < now - longestLease.toNanos());
        boolean others = silent.keySet().stream().filter(each -> each != node).count() >= nodes.size() / 2;
        if (!others) {
            silent.put(node, now);
            node.restart(downNanos);
            loss.run();
        }
    }

    /** A server that does not write each change to its disk has lost the last ones, and not the time of its data. */
    private static void loseSome(RedisNode node, SplittableRandom random) {
        node.loseLast(random.nextLong(RedisNode.REMEMBERED_NANOS));
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
