package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.redis.HealthFinding;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The health check that {@code docs/redis.md} shows. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(120)
class RedisHealthTest {

    @Test
    void api_theHealthCheckFindsAPolicyThatDeletesLocks() throws Exception {
        try (RedisServer server = RedisServer.start("maxmemory 100mb", "maxmemory-policy volatile-ttl")) {
            String uri = server.uri();
            RedisBackend backend = RedisBackend.connect(uri);
            try (LockClient locks = LockClient.create(backend)) {
                List<HealthFinding> findings = backend.checkHealth(Duration.ofSeconds(5));
                findings.forEach(System.out::println);

                assertTrue(findings.get(0).toString().startsWith("ERROR MEMORY"), findings.toString());
                assertTrue(locks.lock("orders/42").tryAcquire().isPresent());
            }
        }
    }
}
