package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;

/** The contract of backends, for Redis over clients that somebody else made. */
@Execution(ExecutionMode.CONCURRENT)
class RedisLentClientContractTest extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new LentClientFixture(new LentClientFactory());
    }

    private static final class LentClientFixture extends RedisFixture {
        private final LentClientFactory factory;

        private LentClientFixture(LentClientFactory factory) {
            super(factory);
            this.factory = factory;
        }

        @Override
        public void close() {
            factory.lent.forEach(RedisClient::close);
            super.close();
        }
    }

    /** Clients with a pool of their own each, which outlive their backends. */
    public static final class LentClientFactory implements BackendFactory {
        /** A call that is under way when its client closes lasts that long. */
        private static final int TIMEOUT_MILLIS = 1_000;

        private final List<RedisClient> lent = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            URI server = URI.create("redis://" + address);
            RedisClient client = RedisClient.builder()
                    .hostAndPort(server.getHost(), server.getPort())
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .timeoutMillis(TIMEOUT_MILLIS)
                            .build())
                    .build();
            lent.add(client);
            return RedisBackend.builder(client).keyPrefix(space + ":").build();
        }
    }
}
