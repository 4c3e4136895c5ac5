package io.github.distlock.tests.redis;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
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
        return new LentClientFixture();
    }

    private static final class LentClientFixture extends RedisFixture {
        /** A call that is under way when its client closes lasts that long. */
        private static final int TIMEOUT_MILLIS = 500;

        private final List<RedisClient> lent = new CopyOnWriteArrayList<>();

        @Override
        LockBackend newBackend(String uri) {
            URI server = URI.create(uri);
            RedisClient client = RedisClient.builder()
                    .hostAndPort(server.getHost(), server.getPort())
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .timeoutMillis(TIMEOUT_MILLIS)
                            .build())
                    .build();
            lent.add(client);
            return RedisBackend.builder(client).keyPrefix(prefix).build();
        }

        @Override
        public void close() {
            lent.forEach(RedisClient::close);
            super.close();
        }
    }
}
