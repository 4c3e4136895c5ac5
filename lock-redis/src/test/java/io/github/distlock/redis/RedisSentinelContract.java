package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;

/**
 * The contract of backends, for a primary that a sentinel names. Not part of the normal build, which runs the contract
 * on one server. The rules about faults of the server concern the primary and the sentinel together. {@link
 * SentinelTest} is about failovers.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisSentinelContract extends LockContract {
    /** So long that no failover begins. */
    private static final Duration DOWN_AFTER = Duration.ofHours(1);

    @Override
    protected BackendFixture newFixture() {
        return new SentinelFixture();
    }

    private static final class SentinelFixture extends RedisFixture {
        private SentinelFixture() {
            super(
                    () -> RedisSentinels.start(0, 1, DOWN_AFTER, "appendonly yes", "appendfsync always"),
                    new SentinelFactory());
        }

        @Override
        RedisServer serverOf(String key) {
            return ((RedisSentinels) server()).servers().get(0);
        }

        @Override
        List<RedisServer> keepers() {
            return ((RedisSentinels) server()).servers();
        }
    }

    /** Creates backends that reach the primary at the first address, and the sentinels at the others. */
    public static final class SentinelFactory implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            List<HostAndPort> sentinels = new ArrayList<>(
                    Arrays.stream(address.split(",", -1)).map(HostAndPort::from).toList());
            HostAndPort primary = sentinels.remove(0);
            String hosts = sentinels.stream().map(HostAndPort::toString).collect(Collectors.joining(","));
            return RedisBackend.builder("redis-sentinel://" + hosts + "/" + RedisSentinels.PRIMARY)
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .hostAndPortMapper(named -> sentinels.contains(named) ? named : primary)
                            .build())
                    .keyPrefix(space + ":")
                    .build();
        }
    }
}
