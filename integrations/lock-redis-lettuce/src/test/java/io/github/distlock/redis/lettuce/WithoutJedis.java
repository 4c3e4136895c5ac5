package io.github.distlock.redis.lettuce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.List;

/** A program whose class path has no Jedis. Uses all that a backend offers, and prints that it is done. */
final class WithoutJedis {
    private WithoutJedis() {}

    public static void main(String[] arguments) throws InterruptedException {
        assertThrows(ClassNotFoundException.class, () -> Class.forName("redis.clients.jedis.UnifiedJedis"));
        String address = arguments[0];
        RedisClient client = RedisClient.create(address);
        try (LockClient locks = LockClient.create(LettuceRedis.create(client));
                LockHandle held = locks.lock("orders/42").acquire()) {
            System.out.println("token " + held.fencingToken());
        }
        RedisBackend backend = LettuceRedis.builder(client)
                .keyPrefix(arguments[1])
                .keepTokensFor(Duration.ofMinutes(1))
                .publishFromClient()
                .build();
        try (LockClient locks = LockClient.create(backend)) {
            try (LockHandle held = locks.lock("small").acquire()) {
                assertThat(held.fencingToken()).isPositive();
                assertThat(locks.inspector().list("", 10)).isEqualTo(List.of("small"));
                assertThat(locks.inspector().inspect("small").holders()).hasSize(1);
                assertThat(backend.checkHealth(Duration.ofSeconds(5))).isNotNull();
            }
            locks.readWriteLock("pages").readLock().acquire().close();
            locks.semaphore("seats", 3).permit().acquire().close();
        }
        client.shutdown();
        System.out.println("done");
    }
}
