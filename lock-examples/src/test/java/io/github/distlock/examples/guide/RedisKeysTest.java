package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/** Shows which keys can be shared with other libraries. The tests send the commands of these libraries. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(120)
class RedisKeysTest {
    private static final SetParams FOR_A_MINUTE = SetParams.setParams().nx().px(60_000);

    private static RedisServer server;
    private static RedisClient other;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        other = RedisClient.create(server.uri());
    }

    @AfterAll
    static void stop() {
        other.close();
        server.close();
    }

    private static void expectExclusion(DistributedLock lock, String key) throws Exception {
        assertEquals("OK", other.set(key, "theirs", FOR_A_MINUTE));
        assertTrue(lock.tryAcquire().isEmpty());
        assertEquals(1, other.del(key));
        try (LockHandle held = lock.acquire()) {
            assertTrue(held.isHeld());
            assertNull(other.set(key, "theirs", FOR_A_MINUTE));
        }
        assertEquals("OK", other.set(key, "theirs", FOR_A_MINUTE));
        assertEquals(1, other.del(key));
    }

    @Test
    void s1_keysOfLock4jAreShared() throws Exception {
        String uri = server.uri();
        LockClient locks = LockClient.create(
                RedisBackend.builder(uri).keys(name -> "lock4j:" + name).build());
        expectExclusion(locks.lock("com.acme.OrderService.pay#42"), "lock4j:com.acme.OrderService.pay#42");
        locks.close();
    }

    @Test
    void s1_keysOfSpringIntegrationAreShared() throws Exception {
        String uri = server.uri();
        LockClient locks = LockClient.create(
                RedisBackend.builder(uri).keys(name -> "registry:" + name).build());
        expectExclusion(locks.lock("orders/42"), "registry:orders/42");
        locks.close();
    }

    @Test
    void s1_keysOfShedLockAreShared() throws Exception {
        String uri = server.uri();
        LockClient locks = LockClient.create(RedisBackend.builder(uri)
                .keys(name -> "job-lock:default:" + name)
                .build());
        expectExclusion(locks.lock("nightly"), "job-lock:default:nightly");
        locks.close();
    }

    @Test
    void s1_aHashOfRedissonIsBusyAndNotChanged() throws Exception {
        other.hset("orders/42", "00000000-0000-0000-0000-000000000000:1", "1");
        try (LockClient apart = LockClient.create(RedisBackend.connect(server.uri()));
                LockHandle held = apart.lock("orders/42").acquire()) {
            assertTrue(held.isHeld());
        }
        try (LockClient same = LockClient.create(
                RedisBackend.builder(server.uri()).keys(name -> name).build())) {
            assertTrue(same.lock("orders/42").tryAcquire(Duration.ofSeconds(1)).isEmpty());
        }
        assertEquals("hash", other.type("orders/42"));
    }
}
