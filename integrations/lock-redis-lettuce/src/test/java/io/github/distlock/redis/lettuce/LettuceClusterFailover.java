package io.github.distlock.redis.lettuce;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Primaries of a cluster that end, and replicas that take their places, while a client uses locks. Not part of the
 * normal build, because an election takes several seconds.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class LettuceClusterFailover {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(Duration.ofSeconds(10));

    private static RedisCluster cluster;

    /** How a primary ends. */
    private enum End {
        KILLED,
        STOPPED;

        private void befalls(RedisServer primary) {
            if (this == KILLED) {
                primary.kill();
            } else {
                primary.pause();
            }
        }
    }

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start(3, 1, Duration.ofSeconds(2), "appendonly yes");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @EnumSource
    void v8_aReplicaServesTheLocksOfItsPrimaryAndNoOtherHoldIsLost(End end) throws InterruptedException {
        RedisClusterClient redis =
                RedisClusterClient.create(Arrays.stream(cluster.address().split(",", -1))
                        .map(address -> RedisURI.create("redis://" + address))
                        .toList());
        try (LockClient client = LockClient.create(
                LettuceRedis.builder(redis).keyPrefix(end + ":").build())) {
            Map<String, LockHandle> held = new LinkedHashMap<>();
            for (int i = 0; i < 24; i++) {
                held.put("lock" + i, client.lock("lock" + i, OPTIONS).acquire());
            }
            RedisServer failing = cluster.primaryOf(end + ":lock0");
            long token = held.get("lock0").fencingToken();
            var others = held.keySet().stream()
                    .filter(name -> cluster.primaryOf(end + ":" + name) != failing)
                    .toList();

            end.befalls(failing);
            long before = System.nanoTime();
            held.get("lock0").release();
            LockHandle again = acquireSoon(client, "lock0");

            System.out.println(end + ": served again after " + (System.nanoTime() - before) / 1_000_000 + " ms");
            assertTrue(again.fencingToken() > token);
            others.forEach(name -> assertTrue(held.get(name).isHeld(), name));
            again.close();
            // The client may still read its partitions, for as long as its timeouts allow.
            for (int i = 0; i < 10; i++) {
                client.lock("lock0", OPTIONS).tryAcquire().orElseThrow().close();
                Waiting.letPass(Duration.ofMillis(300));
            }
            failing.resume();
            if (!failing.isRunning()) {
                failing.restart(true);
            }
            cluster.awaitOk();
        } finally {
            redis.shutdown(0, 0, TimeUnit.SECONDS);
        }
    }

    private static LockHandle acquireSoon(LockClient client, String name) {
        LockHandle[] acquired = new LockHandle[1];
        Waiting.await("the lock is served again", PATIENCE, () -> {
            try {
                Optional<LockHandle> handle = client.lock(name, OPTIONS).tryAcquire();
                acquired[0] = handle.orElse(null);
                return handle.isPresent();
            } catch (LockException e) {
                return false;
            }
        });
        return acquired[0];
    }
}
