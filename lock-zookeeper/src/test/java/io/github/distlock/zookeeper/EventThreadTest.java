package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.Callable;
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

/** Requests from callbacks of a caller-supplied client, which run on ZooKeeper's event thread. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EventThreadTest {
    private static final long PATIENCE_SECONDS = 60;

    private final String base = SharedZooKeeper.freshPath();
    private final CuratorFramework curator =
            CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
    private final LockClient locks = LockClient.builder(
                    ZooKeeperBackend.builder(curator).basePath(base).build())
            .requestTimeout(Duration.ofSeconds(20))
            .build();

    @BeforeEach
    void start() {
        curator.start();
    }

    @AfterEach
    void close() {
        locks.close();
        curator.close();
    }

    private <T> T onEventThread(Callable<T> call) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        curator.checkExists()
                .inBackground((client, event) -> {
                    try {
                        result.complete(call.call());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                })
                .forPath("/");
        return result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void v4_requestsOnTheEventThreadFailAtOnceAndSayWhy() throws Exception {
        LockHandle held = locks.lock("held").acquire();

        Throwable acquire =
                onEventThread(() -> catchThrowable(() -> locks.lock("lock").acquire()));
        Throwable single =
                onEventThread(() -> catchThrowable(() -> locks.lock("lock").tryAcquire()));

        assertThat(acquire)
                .isInstanceOf(LockException.class)
                .hasMessageContaining("lock \"lock\"")
                .hasMessageContaining("event thread")
                .hasMessageContaining("acquireAsync");
        assertThat(single).isInstanceOf(LockException.class).hasMessageContaining("event thread");
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
    }

    @Test
    void v4_anAcquireOnTheEventThreadDoesNotWaitForAnotherOneOfItsClient() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        CompletableFuture<LockHandle> before = locks.lock("lock").acquireAsync();

        Throwable acquire =
                onEventThread(() -> catchThrowable(() -> locks.lock("lock").acquire()));

        assertThat(acquire).isInstanceOf(LockException.class).hasMessageContaining("event thread");
        assertThat(before).isNotDone();
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(before.get(PATIENCE_SECONDS, TimeUnit.SECONDS).release()).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void v4_anExtensionOnTheEventThreadFailsAtOnceAndSaysWhy() throws Exception {
        LockHandle held = locks.lock("held").acquire();

        Throwable extension = onEventThread(() -> catchThrowable(() -> held.extend(Duration.ofSeconds(1))));

        assertThat(extension)
                .isInstanceOf(LockException.class)
                .hasMessageContaining("not extended by PT1S")
                .hasMessageContaining("event thread");
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
    }

    @Test
    void s7_aReleaseOnTheEventThreadDoesNotWaitAndLeavesNothing() throws Exception {
        LockHandle held = locks.lock("lock").acquire();

        long begin = System.nanoTime();
        LockHandle.Release outcome = onEventThread(held::release);

        assertThat(outcome).isEqualTo(LockHandle.Release.PENDING);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        Waiting.await(
                "no node",
                Duration.ofSeconds(PATIENCE_SECONDS),
                () -> SharedZooKeeper.children(base + "/lock").isEmpty());
    }
}
