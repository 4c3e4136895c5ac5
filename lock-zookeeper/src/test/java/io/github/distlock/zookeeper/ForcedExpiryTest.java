package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sessions that a second client with the same session ends, as operators and tests force an expiration. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ForcedExpiryTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int SESSION_MILLIS = 30_000;

    private final String base = SharedZooKeeper.freshPath();
    private final String directory = base + "/lock";
    private final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(link.address())
            .sessionTimeoutMs(SESSION_MILLIS)
            .retryPolicy(new RetryOneTime(100))
            .build();
    private final LockClient locks =
            LockClient.create(ZooKeeperBackend.builder(curator).basePath(base).build());
    private final LockClient others = LockClient.create(
            ZooKeeperBackend.builder(SharedZooKeeper.address()).basePath(base).build());
    private final Queue<LockLoss> losses = new ConcurrentLinkedQueue<>();

    @BeforeEach
    void start() {
        curator.start();
    }

    @AfterEach
    void close() {
        locks.close();
        others.close();
        curator.close();
        link.close();
    }

    private void expire() throws Exception {
        SharedZooKeeper.expire(curator.getZookeeperClient().getZooKeeper());
    }

    private List<String> nodes() {
        return SharedZooKeeper.children(directory);
    }

    private void awaitNodes(int count) {
        Waiting.await(count + " nodes", PATIENCE, () -> nodes().size() == count);
    }

    @Test
    void s6_aForcedExpiryEndsAHoldAndTheNextTokenIsGreater() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        held.onLost(losses::add);

        expire();

        Waiting.await("the loss is reported", PATIENCE, () -> !losses.isEmpty());
        assertThat(losses).extracting(LockLoss::reason).containsExactly(LossReason.GONE);
        LockHandle next = locks.lock("lock").acquire();
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        assertThat(nodes()).hasSize(1);
        next.close();
    }

    @Test
    void s7_aForcedExpiryOfAWaiterLeavesOneNewNodeAndNoFalseGrant() throws Exception {
        LockHandle held = others.lock("lock").acquire();
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();
        awaitNodes(2);
        List<String> before = nodes();

        expire();

        Waiting.await("a new node", PATIENCE, () -> nodes().size() == 2 && !before.containsAll(nodes()));
        assertThat(waiter).isNotDone();
        held.close();
        waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
        assertThat(nodes()).isEmpty();
    }

    @Test
    void s7_aForcedExpiryAfterTheCreationLeavesOneNodeOfTheNewSession() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        locks.lock("lock").acquire().close();
        Fault lost = link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
        link.refuse();
        CompletableFuture<LockHandle> acquire = locks.lock("lock").acquireAsync();
        Waiting.await("the creation is not answered", PATIENCE, lost::hasStruck);
        awaitNodes(1);
        String before = nodes().get(0);

        expire();
        link.heal();

        LockHandle held = acquire.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        assertThat(nodes()).hasSize(1).doesNotContain(before);
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
    }
}
