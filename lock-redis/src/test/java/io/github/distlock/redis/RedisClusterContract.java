package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;

/**
 * The contract of backends, for a cluster of three primaries. Not part of the normal build, which runs the contract on
 * one server. The rules about faults of the server concern the whole cluster. {@link ClusterTest} is about faults of
 * one node, and about slots that move.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisClusterContract extends LockContract {
    /** So long that no node counts as failed. */
    private static final Duration NODE_TIMEOUT = Duration.ofHours(1);

    @Override
    protected BackendFixture newFixture() {
        return new ClusterFixture(new ClusterFactory());
    }

    private static final class ClusterFixture extends RedisFixture {
        private ClusterFixture(ClusterFactory factory) {
            super(() -> RedisCluster.start(3, 0, NODE_TIMEOUT, "appendonly yes", "appendfsync always"), factory);
            factory.nodes = this::server;
        }

        @Override
        RedisServer serverOf(String key) {
            return ((RedisCluster) server()).primaryOf(key);
        }

        @Override
        List<RedisServer> keepers() {
            return ((RedisCluster) server()).members();
        }
    }

    /** Creates backends that reach each node through the proxy in front of it. */
    public static final class ClusterFactory implements BackendFactory {
        /** The cluster, in the process of its fixture. Other processes reach the nodes at their own addresses. */
        private Supplier<? extends Server> nodes;

        @Override
        public LockBackend backend(String address, String space) {
            Map<HostAndPort, HostAndPort> places = new HashMap<>();
            if (nodes != null) {
                List<String> addresses = Arrays.asList(address.split(",", -1));
                List<? extends Server> members = nodes.get().members();
                for (int i = 0; i < members.size(); i++) {
                    places.put(HostAndPort.from(members.get(i).address()), HostAndPort.from(addresses.get(i)));
                }
            }
            return RedisBackend.builder("redis-cluster://" + address)
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .hostAndPortMapper(named -> places.getOrDefault(named, named))
                            .build())
                    .keyPrefix(space + ":")
                    .build();
        }
    }
}
