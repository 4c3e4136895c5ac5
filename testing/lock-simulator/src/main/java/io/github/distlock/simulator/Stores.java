package io.github.distlock.simulator;

import io.github.distlock.simulator.redis.ClusterStore;
import io.github.distlock.simulator.redis.QuorumStore;
import io.github.distlock.simulator.redis.RedisStore;
import io.github.distlock.simulator.zookeeper.ZooKeeperStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The stores by their names. */
final class Stores {
    static final String MEMORY = "memory";

    static final String REDIS = "redis";
    static final String QUORUM = "quorum";
    static final String CLUSTER = "cluster";

    static final String ZOOKEEPER = "zookeeper";

    /** The store and the plan of {@link Plan#staleLeaders}. */
    static final String STALE_LEADERS = "zookeeper-stale-leaders";

    /** The store of {@link #ZOOKEEPER}, and the plan of {@link Plan#crowd}. */
    static final String CROWD = "zookeeper-crowd";

    static final List<String> NAMES = List.of(MEMORY, REDIS, QUORUM, CLUSTER, ZOOKEEPER, STALE_LEADERS, CROWD);

    /** More than the validity of the client that looks at all locks in the end. */
    private static final Duration OF_PROBER = Duration.ofSeconds(10);

    private Stores() {}

    /** Makes the store of a plan. */
    static SimulatedStore create(Plan plan, Simulation simulation, Network network) {
        Duration longest = plan.longestValidity();
        return create(plan.store(), simulation, network, longest.compareTo(OF_PROBER) < 0 ? OF_PROBER : longest);
    }

    static SimulatedStore create(String name, Simulation simulation, Network network) {
        return create(name, simulation, network, Duration.ofHours(1));
    }

    private static SimulatedStore create(
            String name, Simulation simulation, Network network, Duration longestValidity) {
        return switch (name) {
            case MEMORY -> new MemoryStore(simulation, network);
            case REDIS -> new RedisStore(simulation, network);
            case QUORUM -> new QuorumStore(simulation, network, longestValidity);
            case CLUSTER -> new ClusterStore(simulation, network);
            case ZOOKEEPER, CROWD -> new ZooKeeperStore(simulation, network);
            case STALE_LEADERS -> ZooKeeperStore.withStaleLeaders(simulation, network);
            default -> throw new IllegalArgumentException("no store " + name + ", only " + NAMES);
        };
    }

    /** Returns the faults of a store, without the excluded ones. */
    static List<String> faults(String name) {
        return create(name).faults();
    }

    /** Returns the faults of a store that the stated bounds exclude. */
    static List<String> excludedFaults(String name) {
        List<String> faults = new ArrayList<>(create(name).excludedFaults());
        if (!name.equals(STALE_LEADERS) && !name.equals(CROWD)) {
            faults.add(Faults.DRIFT);
        }
        return faults;
    }

    private static SimulatedStore create(String name) {
        Simulation simulation = new Simulation(0, null);
        return create(name, simulation, new Network(simulation, 1));
    }
}
