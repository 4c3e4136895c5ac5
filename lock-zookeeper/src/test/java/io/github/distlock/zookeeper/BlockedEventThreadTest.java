package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockLoss;
import io.github.distlock.LockStatus;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Locks over a caller-supplied client whose event thread the application blocks. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BlockedEventThreadTest {
    private static final Duration SESSION = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final String base = SharedZooKeeper.freshPath();
    private final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(link.address())
            .sessionTimeoutMs((int) SESSION.toMillis())
            .retryPolicy(new RetryOneTime(100))
            .build();
    private final LockClient locks = LockClient.create(ZooKeeperBackend.builder(curator)
            .basePath(base)
            .tick(SharedZooKeeper.TICK)
            .build());
    private final LockClient others = LockClient.create(
            ZooKeeperBackend.builder(SharedZooKeeper.address()).basePath(base).build());
    private final CountDownLatch unblocked = new CountDownLatch(1);
    private final Queue<LockLoss> losses = new ConcurrentLinkedQueue<>();

    @BeforeEach
    void start() {
        curator.start();
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

    private static List<String> callingThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.endsWith("-calls"))
                .toList();
    }
}
