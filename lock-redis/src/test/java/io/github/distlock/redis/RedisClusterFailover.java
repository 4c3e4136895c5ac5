package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.RedisClient;

/**
 * A cluster of three primaries with a replica each, which fails over while clients use locks. Not part of the normal
 * build, because a cluster takes seconds to notice that a node has failed. {@link ClusterTest} is about a cluster
 * without replicas.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class RedisClusterFailover {
    private static final Duration NODE_TIMEOUT = Duration.ofSeconds(2);
    /** Long enough for a failover, which takes about twice the time of the nodes. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int LOCKS = 30;
    private static final String FAILING = "lock0";

    private static RedisCluster cluster;

    private final String prefix = UUID.randomUUID() + ":";
    private final LockClient client = client();
    private final LockClient other = client();
    private final Map<String, LockHandle> held = new LinkedHashMap<>();
    private RedisServer failing;

    private LockClient client() {
        return LockClient.create(
                RedisBackend.builder(cluster.uri()).keyPrefix(prefix).build());
    }

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start(3, 1, NODE_TIMEOUT, "appendonly yes");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void hold() throws InterruptedException {
        cluster.awaitReplicas();
        for (int i = 0; i < LOCKS; i++) {
            held.put("lock" + i, client.lock("lock" + i, OPTIONS).acquire());
        }
        cluster.awaitReplicas();
        failing = primaryOf(FAILING);
    }

    @AfterEach
    void close() {
        for (RedisServer node : cluster.members()) {
            node.resume();
            if (!node.isRunning()) {
                node.restart(true);
            }
        }
        client.close();
        other.close();
    }

    private RedisServer primaryOf(String name) {
        return cluster.primaryOf(prefix + name);
    }

    /** Returns the names of the locks that the failing node keeps. */
    private List<String> onFailing() {
        return held.keySet().stream().filter(name -> primaryOf(name) == failing).toList();
    }

    private void failOver(Consumer<RedisServer> fault) {
        fault.accept(failing);
        Waiting.await("a replica is promoted", PATIENCE, () -> primaryOf(FAILING) != failing);
    }

    private LockHandle acquireSoon(String name) {
        List<LockHandle> acquired = new ArrayList<>();
        Waiting.await("the lock is acquired", PATIENCE, () -> {
            try {
                Optional<LockHandle> handle = other.lock(name, OPTIONS).tryAcquire();
                handle.ifPresent(acquired::add);
                return handle.isPresent();
            } catch (LockException e) {
                return false;
            }
        });
        return acquired.get(0);
    }

    /** Expects that the lock is served, and that another client finds it busy. */
    private void expectBusy(String name) {
        Waiting.await("the lock is served", PATIENCE, () -> {
            try {
                assertThat(other.lock(name, OPTIONS).tryAcquire()).as(name).isEmpty();
                return true;
            } catch (LockException e) {
                return false;
            }
        });
    }

    @Test
    void s1_holdsOutliveThePromotionOfAReplicaAfterTheirPrimaryWasKilled() throws InterruptedException {
        expectHoldsToOutlive(RedisServer::kill);
    }

    @Test
    void s1_holdsOutliveThePromotionOfAReplicaAfterTheirPrimaryHasStopped() throws InterruptedException {
        expectHoldsToOutlive(RedisServer::pause);
        failing.resume();

        cluster.awaitReplicas();

        assertThat(held.values()).allMatch(handle -> handle.state() == State.HELD);
        held.keySet().forEach(this::expectBusy);
        assertThat(held.values()).allMatch(handle -> handle.release() == LockHandle.Release.RELEASED);
    }

    /** The promoted replica extends the leases, which would have ended otherwise. */
    private void expectHoldsToOutlive(Consumer<RedisServer> fault) throws InterruptedException {
        List<String> moved = onFailing();

        failOver(fault);
        Waiting.letPass(LEASE);

        assertThat(moved).isNotEmpty().hasSizeLessThan(LOCKS);
        assertThat(held.values()).allMatch(handle -> handle.state() == State.HELD);
        moved.forEach(this::expectBusy);
        LockHandle former = held.get(FAILING);
        assertEquals(LockHandle.Release.RELEASED, former.release());
        held.remove(FAILING);
        LockHandle next = acquireSoon(FAILING);
        assertThat(next.fencingToken()).isGreaterThan(former.fencingToken());
        next.close();
    }

    @Test
    void s6_holdsThatAPromotedReplicaLacksEndAndTheOthersDoNot() {
        List<String> lost = onFailing();
        loseAtReplica();

        failOver(RedisServer::kill);

        Waiting.await(
                "the losses are reported",
                PATIENCE,
                () -> lost.stream().allMatch(name -> held.get(name).state() == State.LOST));
        LockHandle next = acquireSoon(FAILING);
        assertThat(next.fencingToken()).isGreaterThan(held.get(FAILING).fencingToken());
        next.close();
        assertThat(held.keySet())
                .filteredOn(name -> !lost.contains(name))
                .isNotEmpty()
                .allMatch(name -> held.get(name).state() == State.HELD);
    }

    /** Deletes all at the replica of the failing node: as if it had failed before it could replicate anything. */
    private void loseAtReplica() {
        try (RedisClient admin = RedisClient.create(cluster.replicaOf(failing).uri())) {
            admin.configSet("replica-read-only", "no");
            admin.flushAll();
            admin.configSet("replica-read-only", "yes");
        }
    }

    @Test
    void v1_aWaiterAcquiresTheLockOfAFailedNodeAfterItsRelease() throws Exception {
        var waiter = other.lock(FAILING, OPTIONS).acquireAsync();
        Waiting.await(
                "it waits",
                PATIENCE,
                () -> client.inspector().inspect(FAILING).waiters().size() == 1);
        cluster.awaitReplicas();

        failOver(RedisServer::kill);
        held.get(FAILING).close();

        waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
    }
}
