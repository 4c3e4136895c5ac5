package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checks what becomes of a task without a thread. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReusedThreadsTest {
    private final AtomicBoolean refused = new AtomicBoolean();
    private final ThreadFactory usual = Executors.defaultThreadFactory();
    private final ReusedThreads threads =
            new ReusedThreads(1, task -> refused.getAndSet(false) ? null : usual.newThread(task));

    @AfterEach
    void close() {
        threads.shutdownNow();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v8_aTaskWaitsUntilAThreadIsFree() {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        threads.execute(() -> await(first));

        threads.execute(second::countDown);

        first.countDown();
        await(second);
    }

    @Test
    void v8_aTaskThatAnIdleThreadTakesRunsOnce() {
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        threads.execute(() -> {});
        LinkedTransferQueue<?> waiting = (LinkedTransferQueue<?>) threads.getQueue();
        Waiting.await(
                "the thread is idle, or has ended",
                Duration.ofSeconds(20),
                () -> waiting.hasWaitingConsumer() || threads.getPoolSize() == 0);

        threads.execute(runs::incrementAndGet);

        threads.execute(done::countDown);
        await(done);
        assertEquals(1, runs.get());
    }

    /** The last thread may end while a task enters the queue. A thread that is not made looks the same. */
    @Test
    void v8_aTaskInAQueueWithoutThreadsStartsOne() {
        CountDownLatch done = new CountDownLatch(1);
        refused.set(true);

        threads.execute(done::countDown);

        await(done);
    }

    @Test
    void v5_closedThreadsTakeNoTask() {
        threads.shutdown();

        assertThatThrownBy(() -> threads.execute(() -> {}))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessage("closed");
    }
}
