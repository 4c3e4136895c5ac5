package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Acquires on workers of the JDK's common pool, which run other tasks while they wait for a future. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ForkJoinTest {
    private static final long PATIENCE_SECONDS = 20;
    private static final Duration WAIT = Duration.ofMillis(500);
    private static final Duration LONG = Duration.ofSeconds(10);
    /** V4, and as much again as a busy machine may need. */
    private static final Duration BOUND = WAIT.plusMillis(250).plusSeconds(3);

    private final String base = SharedZooKeeper.freshPath();
    private final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    private final LockClient locks = LockClient.create(
            ZooKeeperBackend.builder(link.address()).basePath(base).build());

    @AfterEach
    void close() {
        link.heal();
        locks.close();
        link.close();
    }

    private Duration timeToFail() {
        long begin = System.nanoTime();
        try {
            locks.lock("lock").tryAcquire(WAIT).ifPresent(LockHandle::close);
        } catch (LockException | InterruptedException e) {
            // The store does not answer.
        }
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    @Test
    void v4_aWorkerRunsNoOtherTaskWhileItWaitsForTheServer() throws Exception {
        assertThat(ForkJoinPool.getCommonPoolParallelism())
                .as("only then futures use the common pool")
                .isGreaterThan(1);
        locks.lock("lock").acquire().close();
        CountDownLatch over = new CountDownLatch(1);
        AtomicReference<Thread> acquirer = new AtomicReference<>();
        AtomicReference<Boolean> helped = new AtomicReference<>(false);
        List<CompletableFuture<Void>> foreign = new ArrayList<>();

        link.delayReplies(Duration.ofMillis(50));
        CompletableFuture.runAsync(() -> {
                    for (int i = 0; i < 2 * ForkJoinPool.getCommonPoolParallelism(); i++) {
                        foreign.add(CompletableFuture.runAsync(() -> {
                            if (Thread.currentThread().equals(acquirer.get())) {
                                helped.set(true);
                            } else {
                                awaitQuietly(over);
                            }
                        }));
                    }
                    acquirer.set(Thread.currentThread());
                    var unused = timeToFail();
                    acquirer.set(null);
                    over.countDown();
                })
                .get(PATIENCE_SECONDS, TimeUnit.SECONDS);

        assertThat(helped).hasValue(false);
        for (CompletableFuture<Void> task : foreign) {
            task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            var unused = latch.await(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void v4_aTimedAcquireReturnsInTimeOnEachKindOfThread() throws Exception {
        locks.lock("lock").acquire().close();
        link.silence();

        for (Executor executor : List.<Executor>of(Runnable::run, ForkJoinPool.commonPool())) {
            Duration took =
                    CompletableFuture.supplyAsync(this::timeToFail, executor).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(took).as("%s", executor).isBetween(WAIT, BOUND);
        }
    }
}
