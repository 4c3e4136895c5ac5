package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * The contract of backends, for Redis over caller-supplied clients whose pool is not visible and that repeat failed
 * requests. Not part of the normal build, which runs the contract over clients with a visible pool.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisHiddenPoolContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        HiddenPoolFactory factory = new HiddenPoolFactory();
        return new RedisFixture(factory) {
            @Override
            public void close() {
                factory.clients.forEach(UnifiedJedis::close);
                super.close();
            }
        };
    }

    /** Creates a client for each backend. A client outlives its backend. */
    public static final class HiddenPoolFactory implements BackendFactory {
        private final List<UnifiedJedis> clients = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            UnifiedJedis client = ContenderTest.repeatingClient(new PooledConnectionProvider(
                    HostAndPort.from(address),
                    DefaultJedisClientConfig.builder()
                            .timeoutMillis(RedisSuppliedClientContractTest.TIMEOUT_MILLIS)
                            .build()));
            clients.add(client);
            return RedisBackend.builder(client).keyPrefix(space + ":").build();
        }
    }
}
