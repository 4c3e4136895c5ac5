package io.github.distlock.redis.lettuce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.redis.HealthFinding;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * The backend over a client of a cluster of three primaries. {@link LettuceClusterFailover} is about their replicas.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class LettuceClusterTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(Duration.ofSeconds(4));
    /** So many that each node has some of them. */
    private static final int LOCKS = 40;

    private static RedisCluster cluster;

    private final String prefix = UUID.randomUUID() + ":";
    private final RedisClusterClient redis =
            RedisClusterClient.create(Arrays.stream(cluster.address().split(",", -1))
                    .map(address -> RedisURI.create("redis://" + address))
                    .toList());
    private final RedisBackend backend =
            LettuceRedis.builder(redis).keyPrefix(prefix).build();
    private final LockClient client = LockClient.create(backend);
    private final LockClient overJedis = LockClient.create(
            RedisBackend.builder(cluster.uri()).keyPrefix(prefix).build());

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start(3, 0, Duration.ofHours(1), "appendonly yes");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void close() {
        for (RedisServer node : cluster.members()) {
            node.resume();
        }
        cluster.awaitOk();
        client.close();
        overJedis.close();
        redis.shutdown(0, 0, TimeUnit.SECONDS);
    }

    private RedisServer primaryOf(String name) {
        return cluster.primaryOf(prefix + name);
    }

    private RedisServer anotherThan(RedisServer primary) {
        return cluster.members().stream()
                .filter(node -> node != primary)
                .findFirst()
                .orElseThrow();
    }

    private Map<String, LockHandle> hold() throws InterruptedException {
        Map<String, LockHandle> held = new LinkedHashMap<>();
        for (int i = 0; i < LOCKS; i++) {
            held.put("lock" + i, client.lock("lock" + i, OPTIONS).acquire());
        }
        return held;
    }

    @Test
    void s1_locksOfAllNodesAreHandedOverListedAndChecked() throws Exception {
        Map<String, LockHandle> held = hold();
        assertThat(held.keySet().stream().map(this::primaryOf).distinct()).hasSize(3);
        assertThat(client.inspector().list("", 100)).containsExactlyInAnyOrderElementsOf(held.keySet());
        assertThat(backend.checkHealth(Duration.ofSeconds(10)))
                .noneMatch(finding -> finding.severity() == HealthFinding.Severity.ERROR)
                .extracting(HealthFinding::server)
                .contains(cluster.members().stream().map(RedisServer::address).toArray(String[]::new));

        for (Map.Entry<String, LockHandle> each : held.entrySet()) {
            CompletableFuture<LockHandle> next =
                    overJedis.lock(each.getKey(), OPTIONS).acquireAsync();
            each.getValue().close();
            next.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
        }
    }

    @Test
    void v8_aStoppedPrimaryEndsOnlyItsOwnHolds() throws InterruptedException {
        Map<String, LockHandle> held = hold();
        RedisServer failing = primaryOf("lock0");
        List<String> lost = held.keySet().stream()
                .filter(name -> primaryOf(name) == failing)
                .toList();
        failing.pause();

        Waiting.await(
                "its holds are lost",
                PATIENCE,
                () -> lost.stream().allMatch(name -> held.get(name).state() == State.LOST));

        held.forEach((name, handle) -> assertEquals(!lost.contains(name), handle.isHeld(), name));
        failing.resume();
        cluster.awaitOk();
        expectServedAgain(lost.get(0));
    }

    private void expectServedAgain(String name) {
        Waiting.await("the lock is acquired again", PATIENCE, () -> {
            try {
                Optional<LockHandle> again = client.lock(name, OPTIONS).tryAcquire();
                again.ifPresent(LockHandle::close);
                return again.isPresent();
            } catch (LockException e) {
                return false;
            }
        });
    }

    @Test
    void s5_aHoldMovesWithItsSlot() throws InterruptedException {
        LockHandle held = client.lock("moving", OPTIONS).acquire();
        RedisServer target = anotherThan(primaryOf("moving"));

        cluster.beginMigration(prefix + "moving", target);
        assertThat(overJedis.lock("moving", OPTIONS).tryAcquire()).isEmpty();
        assertThat(client.lock("moving", OPTIONS.fair()).tryAcquire()).isEmpty();
        cluster.endMigration(prefix + "moving", target);

        assertThat(overJedis.lock("moving", OPTIONS).tryAcquire()).isEmpty();
        assertTrue(held.isHeld());
        assertEquals(LockHandle.Release.RELEASED, held.release());
        expectServedAgain("moving");
    }

    @Test
    void v5_closingLeavesTheClientOpen() throws InterruptedException {
        client.lock("closed", OPTIONS).acquire().close();

        client.close();

        try (StatefulRedisClusterConnection<String, String> own = redis.connect()) {
            assertEquals("PONG", own.sync().ping());
        }
    }
}
