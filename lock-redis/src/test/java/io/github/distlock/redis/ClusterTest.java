package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.fencing.StaleTokenException;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClusterClient;

/** The backend's own connections to a cluster of three primaries without replicas. */
@Order(1)
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClusterTest {
    private static final Duration LEASE = Duration.ofSeconds(10);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int LOCKS = 60;

    private static RedisCluster cluster;

    private final String prefix = UUID.randomUUID() + ":";
    private final RedisBackend backend = TestContender.started(
            RedisBackend.builder(cluster.uri()).keyPrefix(prefix).build());
    private final LockClient client = client();
    private final LockClient other = client();

    private LockClient client() {
        return LockClient.create(
                RedisBackend.builder(cluster.uri()).keyPrefix(prefix).build());
    }

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
            if (!node.isRunning()) {
                node.restart(true);
            }
        }
        cluster.awaitOk();
        client.close();
        other.close();
        backend.close();
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

    private Map<String, LockHandle> hold(int locks) throws InterruptedException {
        Map<String, LockHandle> held = new LinkedHashMap<>();
        for (int i = 0; i < locks; i++) {
            held.put("lock" + i, client.lock("lock" + i, OPTIONS).acquire());
        }
        return held;
    }

    private static boolean isFree(LockClient client, String name) {
        try {
            var handle = client.lock(name, OPTIONS).tryAcquire();
            handle.ifPresent(LockHandle::close);
            return handle.isPresent();
        } catch (LockException e) {
            return false;
        }
    }

    @Test
    void s3_aFenceIsBesideItsKeyOnEachNode() {
        try (RedisClusterClient jedis = RedisClusterClient.create(new HostAndPort(cluster.host(), cluster.port()))) {
            RedisFence fence = new RedisFence(jedis);
            for (int i = 0; i < LOCKS; i++) {
                String key = prefix + (i % 2 == 0 ? "account" + i : "{account" + i + "}:balance");
                fence.execute(8, Command.SET, key, "80");

                assertThrows(StaleTokenException.class, () -> fence.execute(7, Command.SET, key, "late"));

                assertEquals("80", jedis.get(key));
            }
        }
    }

    // Nodes that fail

    @Test
    void v8_aKilledPrimaryEndsOnlyItsOwnHolds() throws InterruptedException {
        expectOnlyItsOwnHoldsToEnd(RedisServer::kill);
    }

    @Test
    void v8_aStoppedPrimaryEndsOnlyItsOwnHolds() throws InterruptedException {
        expectOnlyItsOwnHoldsToEnd(RedisServer::pause);
    }

    private void expectOnlyItsOwnHoldsToEnd(Consumer<RedisServer> fault) throws InterruptedException {
        Map<String, LockHandle> held = hold(LOCKS);
        RedisServer failing = primaryOf("lock0");
        List<String> lost = held.keySet().stream()
                .filter(name -> primaryOf(name) == failing)
                .toList();
        List<String> kept =
                held.keySet().stream().filter(name -> !lost.contains(name)).toList();

        fault.accept(failing);
        Waiting.await(
                "the holds on the failing node end",
                PATIENCE,
                () -> lost.stream().allMatch(name -> held.get(name).state() == State.LOST));
        Waiting.letPass(LEASE);

        assertThat(kept).allMatch(name -> held.get(name).state() == State.HELD);
        assertThat(kept.stream().filter(name -> isFree(other, name)))
                .as("free locks that are held")
                .isEmpty();
        assertThat(isFree(other, free(kept)))
                .as("locks of other nodes are served")
                .isTrue();
    }

    /** Returns the name of a free lock on a node that serves a lock. */
    private String free(List<String> kept) {
        RedisServer serving = primaryOf(kept.get(0));
        return IntStream.range(0, 1_000)
                .mapToObj(i -> "free" + i)
                .filter(name -> primaryOf(name) == serving)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void v8_waitersOfOtherNodesKeepTheirPlacesWhileANodeIsStopped() throws Exception {
        RedisServer failing = primaryOf("stopped");
        String name = IntStream.range(0, 1_000)
                .mapToObj(i -> "waited" + i)
                .filter(each -> primaryOf(each) != failing)
                .findFirst()
                .orElseThrow();
        LockHandle held = client.lock(name, OPTIONS).acquire();
        LockHandle onStopped = client.lock("stopped").acquire();
        var first = other.lock(name, OPTIONS).acquireAsync();
        var waiter = other.lock("stopped").acquireAsync();
        Waiting.await("both wait", PATIENCE, () -> waiters(name) == 1 && waiters("stopped") == 1);

        failing.pause();
        Waiting.letPass(RedisContender.ALIVE_FOR.multipliedBy(2));

        assertThat(waiters(name)).as("living queue entries").isOne();
        failing.resume();
        held.close();
        first.get().close();
        onStopped.close();
        waiter.get().close();
    }

    private int waiters(String name) {
        try {
            return backend.inspect(name, TestContender.deadline()).waiters().size();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // Slots that move

    @Test
    void s1_aHoldMovesWithItsSlot() throws InterruptedException {
        TestContender holder = TestContender.waiting(backend, "moves", LEASE.multipliedBy(10));
        Grant held = holder.acquire();
        RedisServer source = primaryOf("moves");
        RedisServer target = anotherThan(source);
        assertEquals(source.address(), held.server().toString());

        cluster.migrate(prefix + "moves", target);

        assertInstanceOf(Validity.class, holder.renew(held, LEASE.multipliedBy(10)));
        assertEquals(target.address(), held.server().toString());
        TestContender.waiting(backend, "moves", LEASE).findBusy();
        assertEquals(Grant.Release.RELEASED, held.release(TestContender.deadline()));
    }

    @Test
    void s1_locksAreServedWhileTheirSlotMoves() throws InterruptedException {
        TestContender holder = TestContender.waiting(backend, "moving", LEASE.multipliedBy(10));
        Grant before = holder.acquire();
        RedisServer target = anotherThan(primaryOf("moving"));

        cluster.beginMigration(prefix + "moving", target);
        assertInstanceOf(Validity.class, holder.renew(before, LEASE.multipliedBy(10)));
        assertEquals(Grant.Release.RELEASED, before.release(TestContender.deadline()));
        TestContender next = TestContender.waiting(backend, "moving", LEASE.multipliedBy(10));
        Grant during = next.acquire();
        assertInstanceOf(Validity.class, next.renew(during, LEASE.multipliedBy(10)));
        cluster.endMigration(prefix + "moving", target);

        assertThat(during.fencingBase()).isGreaterThan(before.fencingBase());
        assertInstanceOf(Validity.class, next.renew(during, LEASE.multipliedBy(10)));
        assertEquals(Grant.Release.RELEASED, during.release(TestContender.deadline()));
    }

    @Test
    void s1_aBatchOfRenewalsFollowsTheSlotsThatMoved() throws InterruptedException {
        Map<String, LockHandle> held = hold(LOCKS);
        String moved = "lock1";

        cluster.migrate(prefix + moved, anotherThan(primaryOf(moved)));
        Waiting.letPass(LEASE.plusSeconds(2));

        assertThat(held.values()).allMatch(handle -> handle.state() == State.HELD);
        assertThat(held.values()).allMatch(handle -> handle.release() == LockHandle.Release.RELEASED);
    }

    @Test
    void s1_holdsOfALockNeverOverlapWhileItsSlotMovesToAndFro() throws Exception {
        String name = "used";
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger holds = new AtomicInteger();
        List<Long> tokens = Collections.synchronizedList(new ArrayList<>());
        AtomicBoolean overlap = new AtomicBoolean();
        AtomicBoolean end = new AtomicBoolean();
        List<Thread> users = new ArrayList<>();
        for (LockClient each : List.of(client, other)) {
            Thread user = new Thread(() -> {
                while (!end.get()) {
                    try (LockHandle handle = each.lock(name, OPTIONS).acquire()) {
                        overlap.compareAndSet(false, inside.incrementAndGet() != 1);
                        tokens.add(handle.fencingToken());
                        inside.decrementAndGet();
                        holds.incrementAndGet();
                    } catch (InterruptedException | LockException e) {
                        // The next turn tries again.
                    }
                }
            });
            user.start();
            users.add(user);
        }

        for (int i = 0; i < 10; i++) {
            int before = holds.get();
            cluster.migrate(prefix + name, anotherThan(primaryOf(name)));
            Waiting.await("the lock is used after the move", PATIENCE, () -> holds.get() > before + 10);
        }
        end.set(true);
        for (Thread user : users) {
            user.join();
        }

        assertThat(overlap).isFalse();
        assertThat(tokens).isSorted().doesNotHaveDuplicates();
    }

    // Requests

    @Test
    void api_locksOfAllSlotsAreServedAndListedByTheirNodes() throws InterruptedException {
        Map<String, LockHandle> held = hold(LOCKS);

        Map<RedisServer, Long> nodes =
                held.keySet().stream().collect(Collectors.groupingBy(this::primaryOf, Collectors.counting()));

        assertThat(nodes).hasSize(3);
        assertThat(held.values()).allMatch(handle -> handle.release() == LockHandle.Release.RELEASED);
    }

    @Test
    void v3_aHandoffReachesAWaiterWhoseSubscriptionIsAtAnotherNode() throws Exception {
        for (int i = 0; i < 9; i++) {
            String name = "handed" + i;
            LockHandle held = client.lock(name, OPTIONS).acquire();
            var waiter = other.lock(name, OPTIONS).acquireAsync();
            Waiting.await("it waits", PATIENCE, () -> waiters(name) == 1);

            held.close();

            waiter.get().close();
        }
    }
}
