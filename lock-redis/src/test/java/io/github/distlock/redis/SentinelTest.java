package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.params.SetParams;

/** A primary, its replica and three sentinels, which fail over while clients use locks. */
@Order(1)
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers for whole classes")
class SentinelTest {
    /** So long that a renewal that nothing but time causes comes after 200 s. */
    private static final LockOptions LONG = LockOptions.defaults().renewedLease(Duration.ofMinutes(10));

    /** A sentinel that was starved for two seconds does nothing for half a minute. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration SOON = Duration.ofSeconds(60);

    private static RedisSentinels servers;

    private final LockClient client = LockClient.create(RedisBackend.connect(servers.uri()));
    private final LockClient other = LockClient.create(RedisBackend.connect(servers.uri()));

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
        servers.servers().stream().filter(server -> !server.isRunning()).forEach(server -> server.restart(false));
        servers.awaitReplicas();
    }

    @AfterEach
    void closeClients() {
        client.close();
        other.close();
    }

    private static RedisServer replica() {
        RedisServer primary = servers.primary();
        return servers.servers().stream()
                .filter(server -> server != primary)
                .findFirst()
                .orElseThrow();
    }

    private static void awaitReplicated(String name) {
        try (RedisClient admin = RedisClient.create(replica().uri())) {
            Waiting.await("the hold is replicated", PATIENCE, () -> admin.exists("distlock:" + name));
        }
    }

    /** Deletes a lock at the replica: as if the primary had failed before it could replicate it. */
    private static void loseAtReplica(String name) {
        awaitReplicated(name);
        try (RedisClient admin = RedisClient.create(replica().uri())) {
            admin.configSet("replica-read-only", "no");
            admin.del("distlock:" + name, "distlock:{distlock:" + name + "}:token");
            admin.configSet("replica-read-only", "yes");
        }
    }

    private static LockHandle acquireSoon(DistributedLock lock) {
        List<LockHandle> acquired = new ArrayList<>();
        Waiting.await("the lock is acquired", PATIENCE, () -> {
            try {
                Optional<LockHandle> handle = lock.tryAcquire();
                handle.ifPresent(acquired::add);
                return handle.isPresent();
            } catch (LockException e) {
                return false;
            }
        });
        return acquired.get(0);
    }

    /** Acquires a lock. A grant of the former primary, which has not yet been told of its replacement, is lost. */
    private LockHandle acquireAtNewPrimary(String name) {
        List<LockHandle> acquired = new ArrayList<>();
        try (RedisClient admin = RedisClient.create(servers.primary().uri())) {
            Waiting.await("the new primary grants the lock", PATIENCE, () -> {
                LockHandle handle = acquireSoon(client.lock(name, LONG));
                boolean isThere = admin.exists("distlock:" + name);
                if (isThere) {
                    acquired.add(handle);
                } else {
                    var unused = handle.release();
                }
                return isThere;
            });
        }
        return acquired.get(0);
    }

    @Test
    void s1_holdsOutliveAFailoverThatLosesNoData() throws InterruptedException {
        LockHandle held = client.lock("kept", LONG).acquire();
        awaitReplicated("kept");

        servers.failOver();
        LockHandle later = acquireAtNewPrimary("later");

        assertEquals(State.HELD, held.state());
        assertThat(other.lock("kept").tryAcquire()).isEmpty();
        assertThat(later.fencingToken()).isGreaterThan(held.fencingToken());
        assertEquals(LockHandle.Release.RELEASED, held.release());
        later.close();
    }

    @Test
    void v2_aSuppliedClientOfSentinelsFollowsAFailover() throws InterruptedException {
        try (RedisSentinelClient supplied = suppliedClient();
                LockClient locks = LockClient.create(RedisBackend.of(supplied))) {
            locks.lock("supplied").acquire().close();

            servers.failOver();

            // The former primary may still have granted it. Then the hold is lost.
            var unused = acquireSoon(locks.lock("supplied")).release();
            int tombstones = SuppliedPool.visible(supplied) != null ? 0 : 1;
            Waiting.await(
                    "the client has followed, and leaves a tombstone only if it may repeat requests",
                    PATIENCE,
                    () -> tombstonesOfACycle(locks) == tombstones);
        }
    }

    /**
     * Acquires and releases another lock. Returns how many tombstones are left, or -1 if the primary does not know it.
     */
    private static long tombstonesOfACycle(LockClient locks) {
        String name = "cycle" + UUID.randomUUID();
        var unused = acquireSoon(locks.lock(name)).release();
        String helper = "distlock:{distlock:" + name + "}:";
        try (RedisClient admin = RedisClient.create(servers.primary().uri())) {
            return admin.exists(helper + "token") ? admin.zcard(helper + "queue") : -1;
        }
    }

    private static RedisSentinelClient suppliedClient() {
        URI uri = URI.create(servers.uri());
        Set<HostAndPort> sentinels = Arrays.stream(uri.getAuthority().split(",", -1))
                .map(HostAndPort::from)
                .collect(Collectors.toSet());
        return RedisSentinelClient.builder()
                .masterName(uri.getPath().substring(1))
                .sentinels(sentinels)
                .build();
    }

    @Test
    void s6_aHoldThatAFailoverLosesEndsWithoutWaitingForItsRenewal() throws InterruptedException {
        LockHandle lost = client.lock("lost", LONG).acquire();
        loseAtReplica("lost");

        servers.failOver();

        Waiting.await("the loss is reported", SOON, () -> lost.state() == State.LOST);
        LockHandle next = acquireSoon(other.lock("lost", LONG));
        assertThat(next.fencingToken()).isGreaterThan(lost.fencingToken());
        next.close();
    }

    @Test
    void v1_aHoldThatHasEndedBlocksNobodyAfterAFailover() throws InterruptedException {
        LockHandle held = client.lock("ended", LONG).acquire();
        awaitReplicated("ended");
        try (RedisClient admin = RedisClient.create(replica().uri())) {
            String record = admin.get("distlock:ended");
            held.close();
            Waiting.await("the release is replicated", PATIENCE, () -> !admin.exists("distlock:ended"));
            // As if the primary had failed before it could replicate the release.
            admin.configSet("replica-read-only", "no");
            admin.set(
                    "distlock:ended",
                    record,
                    SetParams.setParams().px(Duration.ofHours(1).toMillis()));
            admin.configSet("replica-read-only", "yes");
        }

        servers.failOver();
        acquireAtNewPrimary("another").close();

        acquireSoon(client.lock("ended", LONG)).close();
    }

    @Test
    void v4_locksAreServedSoonAfterThePrimaryWasKilled() throws InterruptedException {
        LockHandle held = client.lock("held", LONG).acquire();
        awaitReplicated("held");
        RedisServer former = servers.primary();

        former.kill();
        LockHandle next = acquireSoon(other.lock("next", LONG));

        Waiting.await("another primary", PATIENCE, () -> servers.primary() != former);
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        Waiting.await("the hold is confirmed by the new primary", SOON, () -> held.state() == State.HELD);
        assertThat(other.lock("held").tryAcquire()).isEmpty();
        held.close();
        next.close();
    }

    @Test
    void v1_aWaiterAcquiresTheLockAfterItsHolderReleasesItAtTheNewPrimary() throws Exception {
        LockHandle held = client.lock("waited", LONG).acquire();
        var waiter = other.lock("waited", LONG).acquireAsync();
        awaitReplicated("waited");
        servers.primary().kill();

        acquireSoon(client.lock("served")).close();
        held.close();

        waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
    }

    @Test
    void v4_aPrimaryThatStopsIsLeftOnceAnotherOneIsNamed() throws InterruptedException {
        RedisServer former = servers.primary();
        client.lock("first").acquire().close();

        former.pause();
        try {
            acquireSoon(client.lock("second")).close();
            Waiting.await("another primary", PATIENCE, () -> servers.primary() != former);
        } finally {
            former.resume();
        }
    }
}
