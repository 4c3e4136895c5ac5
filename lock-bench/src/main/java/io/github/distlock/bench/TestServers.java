package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Deployment;
import io.github.distlock.bench.Peer.Servers;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/** The servers of some deployments, each in a process of its own, and what they have done. */
final class TestServers implements AutoCloseable {
    private static final Duration TICK = Duration.ofSeconds(2);
    private static final Duration NODE_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Map<Deployment, Supplier<Spent>> loads = new EnumMap<>(Deployment.class);
    private final Map<Deployment, RedisLoad> redis = new EnumMap<>(Deployment.class);
    private final Map<Deployment, String> versions = new EnumMap<>(Deployment.class);
    private final long oneWayMicros;
    private final Servers addresses;

    /** What the servers have spent. */
    record Spent(double requests, double commands, double cpuSeconds) {
        Spent since(Spent before) {
            return new Spent(requests - before.requests, commands - before.commands, cpuSeconds - before.cpuSeconds);
        }
    }

    /** Starts what the deployments need, behind links with this delay each way. Only single servers can have one. */
    TestServers(Set<Deployment> deployments, long oneWayMicros) {
        this.oneWayMicros = oneWayMicros;
        String single = "";
        String sentinel = "";
        String cluster = "";
        String zooKeeper = "";
        List<String> independent = List.of("");
        if (deployments.contains(Deployment.STANDALONE)) {
            RedisServer server = keep(RedisServer.start());
            load(Deployment.STANDALONE, List.of(server));
            single = "redis://" + linked(server.host(), server.port());
        }
        if (deployments.contains(Deployment.SENTINEL)) {
            RedisSentinels servers = keep(RedisSentinels.start(1, 3, NODE_TIMEOUT));
            load(Deployment.SENTINEL, servers.servers());
            sentinel = servers.uri();
        }
        if (deployments.contains(Deployment.CLUSTER)) {
            RedisCluster servers = keep(RedisCluster.start(3, 0, NODE_TIMEOUT));
            load(Deployment.CLUSTER, servers.members());
            cluster = servers.uri();
        }
        if (deployments.contains(Deployment.THREE) || deployments.contains(Deployment.FIVE)) {
            List<RedisServer> servers = keep(RedisServers.start(5)).members();
            load(Deployment.THREE, servers.subList(0, 3));
            load(Deployment.FIVE, servers);
            independent = servers.stream().map(RedisServer::uri).toList();
        }
        if (deployments.contains(Deployment.ZOOKEEPER)) {
            // Each transaction is on the disk before its answer.
            ZooKeeperServer server = keep(ZooKeeperServer.start(
                    ZooKeeperSettings.defaults().tickTime(TICK).with("forceSync", "yes")));
            ZooKeeperLoad load = new ZooKeeperLoad(server);
            loads.put(Deployment.ZOOKEEPER, () -> {
                ZooKeeperLoad.Reading read = load.read();
                return new Spent(read.requests(), read.requests(), read.cpuNanos() / 1e9);
            });
            versions.put(Deployment.ZOOKEEPER, "ZooKeeper " + server.version());
            zooKeeper = linked(server.host(), server.port());
        }
        addresses = new Servers(single, sentinel, cluster, independent, zooKeeper, Servers.LEASE);
    }

    private <T extends AutoCloseable> T keep(T opened) {
        open.push(opened);
        return opened;
    }

    private void load(Deployment deployment, List<RedisServer> servers) {
        RedisLoad load = keep(new RedisLoad(servers));
        redis.put(deployment, load);
        loads.put(deployment, () -> {
            RedisLoad.Reading read = load.read();
            return new Spent(read.requests(), read.commands(), read.cpuSeconds());
        });
        versions.put(deployment, "Redis " + servers.get(0).version());
    }

    private String linked(String host, int port) {
        if (oneWayMicros == 0) {
            return host + ":" + port;
        }
        ChildProgram link =
                keep(ChildProgram.start(DelayedLink.class, Integer.toString(port), Long.toString(oneWayMicros)));
        return host + ":" + link.nextLine(PATIENCE);
    }

    Servers addresses() {
        return addresses;
    }

    String version(Deployment deployment) {
        return Objects.requireNonNull(versions.get(deployment));
    }

    Spent spent(Deployment deployment) {
        return Objects.requireNonNull(loads.get(deployment)).get();
    }

    /** Removes what contenders on Redis have left. On ZooKeeper, their nodes end with their sessions. */
    void clear(Deployment deployment) {
        RedisLoad load = redis.get(deployment);
        if (load != null) {
            load.clear();
        }
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }
}
