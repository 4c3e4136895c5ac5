package io.github.distlock.redis.lettuce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** The backend over a client that knows sentinels, which fail over while it uses locks. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class LettuceSentinelTest {
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(Duration.ofMinutes(1));
    /** A sentinel that was starved for two seconds does nothing for half a minute. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static RedisSentinels servers;

    private final RedisClient redis = RedisClient.create(uri());
    private final LockClient client = LockClient.create(LettuceRedis.create(redis));

    private static RedisURI uri() {
        RedisURI.Builder uri = RedisURI.builder().withSentinelMasterId(RedisSentinels.PRIMARY);
        servers.sentinels().forEach(sentinel -> uri.withSentinel(sentinel.host(), sentinel.port()));
        return uri.build();
    }

    @BeforeAll
    static void start() {
        servers = RedisSentinels.start(1, 3, Duration.ofSeconds(1));
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @BeforeEach
    void awaitReplicas() {
        servers.awaitReplicas();
    }

    @AfterEach
    void close() {
        client.close();
        redis.shutdown(0, 0, TimeUnit.SECONDS);
    }

    private static boolean has(RedisServer server, String key) {
        return LettuceFixture.asked(server, admin -> admin.exists(key)) == 1;
    }

    private LockHandle acquireAt(RedisServer primary, String name) {
        List<LockHandle> acquired = new ArrayList<>();
        Waiting.await("the new primary grants the lock", PATIENCE, () -> {
            try {
                client.lock(name, OPTIONS).tryAcquire().ifPresent(acquired::add);
            } catch (LockException e) {
                return false;
            }
            if (!acquired.isEmpty() && !has(primary, "distlock:" + name)) {
                acquired.remove(0).release();
            }
            return !acquired.isEmpty();
        });
        return acquired.get(0);
    }

    @Test
    void s5_aHoldOutlivesAFailoverAndTheFormerPrimaryIsLeftAtOnce() throws InterruptedException {
        LockHandle held = client.lock("kept", OPTIONS).acquire();
        RedisServer former = servers.primary();
        RedisServer replica = servers.servers().stream()
                .filter(server -> server != former)
                .findFirst()
                .orElseThrow();
        Waiting.await("the hold is replicated", PATIENCE, () -> has(replica, "distlock:kept"));

        servers.failOver();
        LockHandle other = acquireAt(replica, "other");
        String formerRole = LettuceFixture.asked(former, admin -> admin.info("replication"));

        // The sentinels make it a replica after ten seconds, and what it grants until then is lost.
        assertThat(formerRole).contains("role:master");
        assertTrue(held.isHeld());
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(other.release()).isEqualTo(LockHandle.Release.RELEASED);
        Waiting.await("the hold has ended at the new primary", PATIENCE, () -> !has(replica, "distlock:kept"));
    }

    @Test
    void v1_aStoppedPrimaryIsLeft() throws InterruptedException {
        client.lock("stopped", OPTIONS).acquire().close();
        RedisServer former = servers.primary();
        former.pause();
        try {
            RedisServer next = servers.servers().stream()
                    .filter(server -> server != former)
                    .findFirst()
                    .orElseThrow();

            acquireAt(next, "stopped").close();
        } finally {
            former.resume();
        }
    }
}
