package io.github.distlock.redis;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.servers.HaProxy;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for Redis behind an HAProxy that closes idle connections. Not part of the normal build,
 * which runs the contract without a proxy. {@link RedisHaProxy} is about idle connections alone.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisHaProxyContract extends LockContract {
    /** Less than the time after which the backend itself checks and closes idle connections. */
    static final Duration IDLE_TIME = Duration.ofSeconds(3);

    @Override
    protected BackendFixture newFixture() {
        return new ProxiedFixture();
    }

    private static final class ProxiedFixture extends RedisFixture {
        private ProxiedFixture() {
            super(() -> HaProxy.before(startStoring(), IDLE_TIME), new RedisFactory());
        }

        private RedisServer behind() {
            return ((HaProxy) server()).server();
        }

        @Override
        RedisServer serverOf(String key) {
            return behind();
        }

        @Override
        List<RedisServer> keepers() {
            return List.of(behind());
        }
    }
}
