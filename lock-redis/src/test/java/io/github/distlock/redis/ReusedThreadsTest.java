package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.PromiseNames;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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
