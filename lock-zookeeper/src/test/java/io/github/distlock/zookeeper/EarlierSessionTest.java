package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A client has another session, while the ensemble still has the nodes of its earlier one. A server that has expired a
 * session deletes its nodes before it serves another session of the same client. So this happens only if the end of the
 * session comes from the client, and does not reach the ensemble.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EarlierSessionTest {
    private static final Duration SESSION = Duration.ofSeconds(10);
    private static final Duration PATIENCE = SESSION.multipliedBy(3);

    private final String base = SharedZooKeeper.freshPath();
    private final String directory = base + "/lock";
    private final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(link.address())
            .sessionTimeoutMs((int) SESSION.toMillis())
            .retryPolicy(new RetryOneTime(100))
            .build();
    private final LockClient locks =
            client(ZooKeeperBackend.builder(curator).basePath(base).tick(SharedZooKeeper.TICK));

    private static LockClient client(ZooKeeperBackendBuilder builder) {
        return LockClient.builder(builder.build()).name("worker").build();
    }

    @BeforeEach
    void start() {
        curator.start();
    }

    @AfterEach
    void close() {
        locks.close();
        curator.close();
        link.close();
    }

    private List<String> nodes() {
        return SharedZooKeeper.children(directory);
    }

    private void awaitNodes(int count) {
        Waiting.await(count + " nodes", PATIENCE, () -> nodes().size() == count);
    }

    private static LockHandle get(CompletableFuture<LockHandle> acquire) throws Exception {
        return acquire.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private void expectNodeOfPresentSession() throws Exception {
        assertThat(nodes()).hasSize(1);
        assertThat(SharedZooKeeper.sessionOfFirst(SharedZooKeeper.operator(), directory))
                .isEqualTo(curator.getZookeeperClient().getZooKeeper().getSessionId());
    }

    /** Gives up the session of the client, and the ensemble does not hear of it. */
    private void replaceSession() throws Exception {
        link.refuse();
        link.cut();
        curator.getZookeeperClient().reset();
        link.heal();
    }

    @Test
    void s1_aClientWaitsBehindTheNodeOfItsEarlierSession() throws Exception {
        LockHandle before = locks.lock("lock").acquire();
        List<String> earlier = nodes();

        replaceSession();
        CompletableFuture<LockHandle> acquire = locks.lock("lock").acquireAsync();
        awaitNodes(2);

        assertThat(before.isHeld()).isFalse();
        assertThat(acquire).isNotDone();
        assertThat(nodes()).containsAll(earlier);
        LockHandle held = get(acquire);
        assertThat(held.fencingToken()).isGreaterThan(before.fencingToken());
        expectNodeOfPresentSession();
        held.close();
    }

    @Test
    void s1_anAcquireDoesNotAdoptItsNodeOfAnEarlierSession() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        locks.lock("lock").acquire().close();
        Fault lost = link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
        link.refuse();
        CompletableFuture<LockHandle> acquire = locks.lock("lock").acquireAsync();
        Waiting.await("the creation is not answered", PATIENCE, lost::hasStruck);

        replaceSession();

        LockHandle held = get(acquire);
        expectNodeOfPresentSession();
        held.close();
    }

    /** ZooKeeper never uses a session's id again, so the nodes of two processes differ even if their data are equal. */
    @Test
    void v1_theNodeOfACrashedProcessBlocksItsSuccessorUntilItsExpiry() throws Exception {
        FaultProxy another = FaultProxy.to(SharedZooKeeper.server());
        ZooKeeperBackendBuilder builder =
                ZooKeeperBackend.builder(another.address()).basePath(base).sessionTimeout(SESSION);
        try (LockClient crashed = client(builder.tick(SharedZooKeeper.TICK))) {
            LockHandle before = crashed.lock("lock").acquire();
            another.close();

            LockHandle held = get(locks.lock("lock").acquireAsync());

            assertThat(before.isHeld()).isFalse();
            assertThat(held.fencingToken()).isGreaterThan(before.fencingToken());
            expectNodeOfPresentSession();
            held.close();
        }
    }
}
