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

/** The contract of backends, for Redis over caller-supplied clients. */
@Execution(ExecutionMode.CONCURRENT)
class RedisSuppliedClientContractTest extends LockContract {
    /** How long a call lasts if the caller closes the client during the call. */
    static final int TIMEOUT_MILLIS = 1_000;

    @Override
    protected BackendFixture newFixture() {
        SuppliedClientFactory factory = new SuppliedClientFactory();
        return new RedisFixture(factory) {
            @Override
            public void close() {
                factory.clients.forEach(RedisClient::close);
                super.close();
            }
        };
    }

    /** Creates a client with a pool for each backend. A client outlives its backend. */
    public static final class SuppliedClientFactory implements BackendFactory {
        private final List<RedisClient> clients = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            URI server = URI.create("redis://" + address);
            RedisClient client = RedisClient.builder()
                    .hostAndPort(server.getHost(), server.getPort())
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .timeoutMillis(TIMEOUT_MILLIS)
                            .build())
                    .build();
            clients.add(client);
            return RedisBackend.builder(client).keyPrefix(space + ":").build();
        }
    }
}
