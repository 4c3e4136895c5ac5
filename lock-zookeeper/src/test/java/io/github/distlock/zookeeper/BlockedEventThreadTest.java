package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LockStatus;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.CuratorEventType;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Locks over a caller-supplied client whose event thread the application blocks. */
@Order(1)
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BlockedEventThreadTest {
    private static final Duration SESSION = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final String base = SharedZooKeeper.freshPath();
    private final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    private final CuratorFramework curator = curator(SESSION);
    private final LockClient locks = LockClient.create(ZooKeeperBackend.builder(curator)
            .basePath(base)
            .tick(SharedZooKeeper.TICK)
            .build());
    private final LockClient others = LockClient.create(
            ZooKeeperBackend.builder(SharedZooKeeper.address()).basePath(base).build());
    private final CountDownLatch unblocked = new CountDownLatch(1);
    private final Queue<LockLoss> losses = new ConcurrentLinkedQueue<>();

    private CuratorFramework curator(Duration session) {
        CuratorFramework client = CuratorFrameworkFactory.builder()
                .connectString(link.address())
                .sessionTimeoutMs((int) session.toMillis())
                .connectionTimeoutMs((int) session.toMillis())
                .retryPolicy(new RetryOneTime(100))
                .build();
        client.start();
        return client;
    }

    @AfterEach
    void close() {
        unblocked.countDown();
        locks.close();
        others.close();
        curator.close();
        link.close();
    }

    private void block() throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        curator.checkExists()
                .inBackground((client, event) -> {
                    blocked.countDown();
                    unblocked.await();
                })
                .forPath("/");
        assertThat(blocked.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    private LockHandle acquire(String name) throws InterruptedException {
        LockHandle held = locks.lock(name).acquire();
        held.onLost(losses::add);
        return held;
    }

    private void awaitNodes(String name, int count) {
        Waiting.await(
                count + " nodes",
                PATIENCE,
                () -> SharedZooKeeper.children(base + "/" + name).size() == count);
    }

    @Test
    void v8_aHoldOutlivesABlockedEventThread() throws Exception {
        LockHandle held = acquire("lock");
        block();

        Waiting.letPass(SESSION.multipliedBy(2));

        assertThat(held.isHeld()).isTrue();
        assertThat(losses).isEmpty();
        assertThat(held.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void v4_requestsAreAnsweredInTimeWhileTheEventThreadIsBlocked() throws Exception {
        LockHandle before = acquire("before");
        block();

        LockHandle held = locks.lock("lock").tryAcquire().orElseThrow();
        LockStatus status = locks.inspector().inspect("lock");

        assertThat(status.holders()).hasSize(1);
        assertThat(before.release()).isEqualTo(Release.RELEASED);
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        assertThat(SharedZooKeeper.children(base + "/lock")).isEmpty();
        assertThat(SharedZooKeeper.children(base + "/before")).isEmpty();
    }

    @Test
    void v5_aReleaseIsConfirmedWhileTheEventThreadIsBlocked() throws Exception {
        LockHandle held = acquire("lock");
        block();

        assertThat(held.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void v2_aWaiterAcquiresTheLockWhileItsEventThreadIsBlocked() throws Exception {
        LockHandle first = others.lock("lock").acquire();
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();
        awaitNodes("lock", 2);
        block();
        Waiting.letPass(SESSION.multipliedBy(2));

        first.close();

        LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(next.fencingToken()).isGreaterThan(first.fencingToken());
        assertThat(next.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void s7_aBrokenConnectionLeavesOneNodeWhileTheEventThreadIsBlocked() throws Exception {
        acquire("other").close();
        block();
        acquire("other").close();
        link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);

        LockHandle held = acquire("lock");

        assertThat(SharedZooKeeper.children(base + "/lock")).hasSize(1);
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        assertThat(SharedZooKeeper.children(base + "/lock")).isEmpty();
    }

    /** Returns a lock client that has a session. It waits for answers as long as this test does. */
    private LockClient patient(CuratorFramework client) {
        LockClient patient = LockClient.builder(ZooKeeperBackend.builder(client)
                        .basePath(base)
                        .tick(SharedZooKeeper.TICK)
                        .build())
                .requestTimeout(PATIENCE)
                .build();
        patient.lock("other").tryAcquire().orElseThrow().close();
        return patient;
    }

    /** Curator makes another session when the connection has been lost for a session timeout. */
    @Test
    void v4_aRequestGoesOnWhenTheConnectionIsBackWhileTheEventThreadIsBlocked() throws Exception {
        try (CuratorFramework lasting = curator(PATIENCE.multipliedBy(2));
                LockClient patient = patient(lasting)) {
            ZooKeeper handle = lasting.getZookeeperClient().getZooKeeper();
            CountDownLatch blocked = new CountDownLatch(1);
            lasting.getCuratorListenable().addListener((client, event) -> {
                if (event.getType() == CuratorEventType.WATCHED
                        && event.getWatchedEvent().getState() == KeeperState.Disconnected) {
                    blocked.countDown();
                    unblocked.await();
                }
            });
            link.refuse();
            link.cut();
            assertThat(blocked.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            Waiting.await("the connection is lost", PATIENCE, () -> handle.getState() == States.CONNECTING);
            CompletableFuture<Optional<LockHandle>> request =
                    patient.lock("lock").tryAcquireAsync(Duration.ZERO);
            Waiting.await("the request waits", PATIENCE, BlockedEventThreadTest::awaitsSession);

            link.heal();

            assertThat(request.get(PATIENCE.toSeconds() * 2, TimeUnit.SECONDS)).isPresent();
            unblocked.countDown();
        }
    }

    private static boolean awaitsSession() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Stream::of)
                .anyMatch(frame -> frame.getMethodName().equals("awaitSession"));
    }

    @Test
    void v4_aRequestFailsAtOnceIfItsSessionHasEndedWhileTheEventThreadIsBlocked() throws Exception {
        try (LockClient patient = patient(curator)) {
            ZooKeeper handle = curator.getZookeeperClient().getZooKeeper();
            block();
            patient.lock("other").tryAcquire().orElseThrow().close();
            SharedZooKeeper.expire(handle);
            Waiting.await(
                    "the handle is dead", PATIENCE, () -> !handle.getState().isAlive());

            assertThatThrownBy(() -> patient.lock("lock").tryAcquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("lock \"lock\"")
                    .hasMessageContaining("the application blocks the event thread");

            unblocked.countDown();
            patient.lock("lock").acquire().close();
        }
    }

    @Test
    void v5_nothingRemainsWhenTheEventThreadAnswersAgain() throws Exception {
        block();
        LockHandle during = acquire("lock");
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();

        unblocked.countDown();

        assertThat(during.release()).isEqualTo(Release.RELEASED);
        LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(next.release()).isEqualTo(Release.RELEASED);
        for (int i = 0; i < 10; i++) {
            assertThat(acquire("lock").release()).isEqualTo(Release.RELEASED);
        }
        assertThat(SharedZooKeeper.children(base + "/lock")).isEmpty();
        Waiting.await(
                "no thread calls the server", PATIENCE, () -> callingThreads().isEmpty());
    }

    @Test
    void s15_theReleaseOfALockWithADelayIsConfirmedWhileTheEventThreadIsBlocked() throws Exception {
        LockHandle held = locks.lock("lock", LockOptions.defaults().lockDelay(Duration.ofMinutes(1)))
                .acquire();
        block();

        assertThat(held.release()).isEqualTo(Release.RELEASED);

        assertThat(SharedZooKeeper.children(base + "/lock")).isEmpty();
    }

    private static List<String> callingThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.endsWith("-calls"))
                .toList();
    }
}
