package io.github.distlock.simulator.redis;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.SimulatedStore;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.history.HistoryRule;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * One Redis server, or a primary with a replica that takes its place. The address of the primary does not change, as
 * with sentinels behind a proxy.
 */
public final class RedisStore implements SimulatedStore {
    private static final String RESTART_WITHOUT_DATA = "restart without data";
    private static final String FAILOVER = "failover";
    private static final String DELETION = "deletion of all data";
    private static final String CLOCK_FORWARD = "clock forward";
    private static final String CLOCK_BACK_AND_RESTART_WITHOUT_DATA = "clock back and restart without data";

    private static final List<HistoryRule> TOKENS =
            List.of(HistoryRule.TOKENS_RISE, HistoryRule.LOCAL_TOKENS_RISE, HistoryRule.WRITERS_TOKENS_RISE);

    private static final String TOKEN = "}:token";
    private static final long MICROS = 1_000_000;
    private static final long NANOS = 1_000_000_000;
    /** The server's clock is at most as much faster or slower as the clients allow for. */
    private static final double DRIFT = 0.005;

    private static final List<Duration> TOKEN_KEPT =
            List.of(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofHours(1));

    private static final long LONGEST_DELAY = NANOS / 5;

    /** Crashed holders block their locks for longer by as much as the clock is set back. */
    private static final long LONGEST_STEP = 40 * MICROS;

    private final World world;
    private final RedisNode node;
    private final Duration tokenKept;
    private long setBackMicros;

    /**
     * Makes a store.
     *
     * @param world the simulation
     * @param network between processes and the server
     */
    public RedisStore(World world, Network network) {
        this.world = world;
        this.node = new RedisNode("redis", 1 + world.random().nextDouble(-DRIFT, DRIFT), world, network);
        this.tokenKept = TOKEN_KEPT.get(world.random().nextInt(TOKEN_KEPT.size()));
    }

    @Override
    public LockBackend backend(SimulatedProcess process) {
        return RedisBackend.builder(context -> new SimulatedConnections(node, process, context, world))
                .keepTokensFor(tokenKept)
                .build();
    }

    @Override
    public List<String> servers() {
        return List.of(node.name());
    }

    /**
     * Queue entries stay for some seconds, or longer if they are not near the head; tombstones and requests for release
     * stay for a minute. All of them stay for longer if the clock is set back.
     */
    @Override
    public Duration longestExpiry() {
        return Duration.ofSeconds(61).plus(setBackMicros, ChronoUnit.MICROS);
    }

    @Override
    public List<String> faults() {
        return List.of("restart", "pause", "break", "clock back", COPY);
    }

    @Override
    public List<String> excludedFaults() {
        return List.of(RESTART_WITHOUT_DATA, FAILOVER, DELETION, CLOCK_FORWARD, CLOCK_BACK_AND_RESTART_WITHOUT_DATA);
    }

    /**
     * Lost data and a clock that is set forward end holds early. Lost data, and a clock set back, lower tokens. Then
     * the other rules break, too, because the checker orders holds by their tokens.
     */
    @Override
    public Map<HistoryRule, Duration> exceptions(String fault) {
        Map<HistoryRule, Duration> exceptions = new EnumMap<>(HistoryRule.class);
        if (excludedFaults().contains(fault)) {
            boolean lowersTokens = setBackMicros > 0 && !fault.equals(CLOCK_FORWARD);
            Duration behind = lowersTokens ? Duration.of(setBackMicros, ChronoUnit.MICROS) : Duration.ZERO;
            EXCLUSION.forEach(rule -> exceptions.put(rule, behind));
            if (lowersTokens) {
                TOKENS.forEach(rule -> exceptions.put(rule, behind));
            }
        }
        return exceptions;
    }

    @Override
    public long strike(String fault, long choice) {
        SplittableRandom random = new SplittableRandom(choice);
        return world.nanoTime()
                + switch (fault) {
                    case "restart" -> restart(random.nextLong(2 * NANOS));
                    case "pause" -> pause(random.nextLong(3 * NANOS));
                    case "break" -> {
                        node.breakConnections();
                        yield 0;
                    }
                    case "clock back" -> setBack(random);
                    case RESTART_WITHOUT_DATA -> restartWithoutData(random);
                    case CLOCK_BACK_AND_RESTART_WITHOUT_DATA -> setBack(random) + restartWithoutData(random);
                    case FAILOVER -> {
                        node.loseLast(random.nextLong(NANOS));
                        yield restart(random.nextLong(NANOS));
                    }
                    case DELETION -> delete(random.nextLong(LONGEST_DELAY));
                    case CLOCK_FORWARD -> {
                        node.stepClock(random.nextLong(60 * MICROS));
                        yield 0;
                    }
                    default -> throw new IllegalArgumentException("no fault of Redis: " + fault);
                };
    }

    private long restart(long downNanos) {
        node.restart(downNanos);
        return downNanos;
    }

    private long restartWithoutData(SplittableRandom random) {
        long down = restart(random.nextLong(NANOS));
        node.loseAll();
        return down;
    }

    /** As {@code FLUSHALL}, which breaks no connection. The answer to an acquire before it may be late. */
    private long delete(long lateNanos) {
        node.loseAllAfterNext(lateNanos);
        world.at(world.nanoTime() + LONGEST_DELAY, node::loseAllAtLast);
        return LONGEST_DELAY + lateNanos;
    }

    private long pause(long nanos) {
        node.pause(nanos);
        return nanos;
    }

    /** Tokens increase if the clock is set back, as long as the server has the last token of each name. */
    private long setBack(SplittableRandom random) {
        long micros = random.nextLong(LONGEST_STEP);
        if (setBackMicros + micros <= LONGEST_STEP && node.keepsAll(TOKEN)) {
            setBackMicros += micros;
            node.stepClock(-micros);
        }
        return 0;
    }

    @Override
    public void serveClientsOf(SimulatedStore earlier) {
        ((RedisStore) earlier).node.goOnAs(node);
    }

    @Override
    public void heal() {
        node.heal();
    }

    /** The server keeps tokens for longer. */
    @Override
    public List<String> leftovers() {
        return node.keys().stream().filter(key -> !key.contains(TOKEN)).toList();
    }
}
