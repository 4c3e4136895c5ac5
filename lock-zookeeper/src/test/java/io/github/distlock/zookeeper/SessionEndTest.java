package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LossReason;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.listen.ListenerManager;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ends a session ends its holds, as soon as the client libraries know of it. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SessionEndTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SESSION_MILLIS = 30_000;

    private final String base = SharedZooKeeper.freshPath();
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(SharedZooKeeper.address())
            .sessionTimeoutMs(SESSION_MILLIS)
            .retryPolicy(new RetryOneTime(100))
            .build();
    private final LockClient others = LockClient.create(
            ZooKeeperBackend.builder(SharedZooKeeper.address()).basePath(base).build());
    private LockClient locks;
    private LockHandle held;
    private final Queue<LossReason> losses = new ConcurrentLinkedQueue<>();

    @AfterEach
    void close() {
        locks.close();
        others.close();
        curator.close();
    }

    private void holdOver(ZooKeeperBackend backend) throws InterruptedException {
        locks = LockClient.create(backend);
        held = locks.lock("lock").acquire();
        held.onLost(loss -> losses.add(loss.reason()));
    }

    private void holdOverSuppliedClient() throws InterruptedException {
        curator.start();
        holdOver(ZooKeeperBackend.builder(curator).basePath(base).build());
    }

    /** Returns whether the hold is still held when another client has acquired its lock. */
    private CompletableFuture<Boolean> overlap() {
        CompletableFuture<Boolean> overlap = others.lock("lock").acquireAsync().thenApply(next -> held.isHeld());
        awaitNodes(2);
        return overlap;
    }

    private void awaitNodes(int count) {
        Waiting.await(
                count + " nodes",
                PATIENCE,
                () -> SharedZooKeeper.children(base + "/lock").size() == count);
    }

    private void expectGone() {
        Waiting.await("the loss is reported", PATIENCE, () -> !losses.isEmpty());
        assertThat(losses).containsExactly(LossReason.GONE);
        assertThat(held.isHeld()).isFalse();
    }

    private ZooKeeper handle() throws Exception {
        return curator.getZookeeperClient().getZooKeeper();
    }

    @Test
    void s6_aHoldEndsBeforeTheSessionOfAClosedClient() throws Exception {
        holdOverSuppliedClient();
        CompletableFuture<Boolean> overlap = overlap();

        curator.close();

        assertThat(overlap.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
        expectGone();
    }

    @Test
    void s6_aHoldOverAViewEndsBeforeTheSessionOfItsClosedClient() throws Exception {
        curator.start();
        holdOver(ZooKeeperBackend.builder(curator.usingNamespace(base.substring(1)))
                .basePath("/")
                .build());
        CompletableFuture<Boolean> overlap = overlap();

        curator.close();

        assertThat(overlap.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
        expectGone();
    }

    /** As frameworks make them: an object of another class that passes each call on. */
    @Test
    void s6_aHoldOverAWrapperEndsBeforeTheSessionOfItsClosedClient() throws Exception {
        curator.start();
        CuratorFramework wrapper = (CuratorFramework) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {CuratorFramework.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(curator, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        holdOver(ZooKeeperBackend.builder(wrapper).basePath(base).build());
        CompletableFuture<Boolean> overlap = overlap();

        curator.close();

        assertThat(overlap.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
        expectGone();
    }

    @Test
    void s6_aHoldEndsWithItsClosedHandle() throws Exception {
        holdOverSuppliedClient();

        handle().close();

        expectGone();
    }

    @Test
    void s6_aHoldEndsWithAHandleThatCuratorResets() throws Exception {
        holdOverSuppliedClient();
        CompletableFuture<Boolean> overlap = overlap();

        curator.getZookeeperClient().reset();

        assertThat(overlap.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isFalse();
        expectGone();
    }

    @Test
    void s6_aHoldEndsWhenTheClientItselfReportsAnExpiration() throws Exception {
        holdOverSuppliedClient();

        handle().getTestable().injectSessionExpiration();

        expectGone();
    }

    @Test
    void s6_aHoldEndsWhenTheServerRefusesItsAuthentication() throws Exception {
        holdOverSuppliedClient();

        handle().addAuthInfo("unknown-scheme", new byte[0]);

        expectGone();
        assertThatThrownBy(() -> locks.lock("lock").acquire())
                .isInstanceOf(LockException.class)
                .hasCauseInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("lock \"lock\"")
                .hasMessageContaining("AuthFailed");
    }

    @Test
    void v5_aBackendLeavesNoListenerInASuppliedClient() throws Exception {
        holdOverSuppliedClient();
        held.close();

        locks.close();

        assertThat(((ListenerManager<?, ?>) curator.getCuratorListenable()).size())
                .isZero();
    }
}
