package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.waiting.ThreadCensus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Few threads do the work of very many acquires, and code of the application that blocks has its own. */
class ThreadCountTest extends EngineTest {
    private static final int MANY = 1_000;

    private final ClientLog log = new ClientLog("growing");
    /** It is never started, so a pool looks for tasks that wait only when a test does. */
    private final Timer timer = new Timer("growing", memory.clock(), log);

    private final Work.Shared shared = new Work.Shared("growing", memory.clock(), timer, log);

    @Test
    void v6_canceledAcquiresNeedNoThreadForCallbacks() throws Exception {
        LockHandle held = other.lock("a").acquire();
        LockClient quiet = open(LockClient.builder(backend).name("quiet"));
        try (ThreadCensus callbacks = ThreadCensus.of("distlock-quiet-callback")) {
            List<CompletableFuture<LockHandle>> futures = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                futures.add(quiet.lock("a").acquireAsync());
            }
            awaitQueued(1);

            futures.forEach(each -> each.cancel(true));

            Await.until("the queue entry is withdrawn", backend.contenders::isEmpty);
            assertThat(callbacks.most()).isZero();
        }
        held.close();
    }

    // Pools that grow

    private Runnable blocking(CountDownLatch begun) {
        return () -> {
            begun.countDown();
            Await.open(end);
        };
    }

    @Test
    void v6_callbacksThatEndSoonShareFewThreads() {
        Callbacks callbacks = new Callbacks(null, List.of(), List.of(), shared);
        CountDownLatch start = new CountDownLatch(1);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < MANY; i++) {
            callbacks.run(() -> {
                Await.open(start);
                threads.add(Thread.currentThread());
                done.incrementAndGet();
            });
        }

        start.countDown();

        Await.until("all are done", () -> done.get() == MANY);
        assertThat(threads).hasSizeLessThanOrEqualTo(Growth.FEW);
        callbacks.close();
    }

    @Test
    void v8_tasksBehindThoseThatBlockGetThreads() {
        Timer running = new Timer("growing", memory.clock(), log);
        running.start();
        Work work = Work.growing("blocked", new Work.Shared("growing", memory.clock(), running, log));
        CountDownLatch begun = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            work.execute(blocking(begun));
        }

        Await.open(begun);

        end.countDown();
        work.close();
        running.close();
    }

    @Test
    @SuppressWarnings("ErroneousThreadPoolConstructorChecker") // The growth changes the core size.
    void v6_aPoolThatHasGrownShrinksOnceNoTaskWaits() throws Exception {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(Growth.FEW, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        Growth growth = new Growth(pool, shared);
        CountDownLatch begun = new CountDownLatch(2 * Growth.FEW);
        for (int i = 0; i < 2 * Growth.FEW; i++) {
            growth.execute(blocking(begun));
        }

        store.advance(Growth.PATIENCE);
        growth.look();
        Await.open(begun);
        assertThat(pool.getPoolSize()).isEqualTo(2 * Growth.FEW);
        growth.look();

        assertThat(pool.getCorePoolSize()).isEqualTo(Growth.FEW);
        end.countDown();
        pool.shutdown();
        assertThat(pool.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void v5_tasksThatWaitBehindStubbornOnesWhenAPoolIsClosedStillRun() {
        Work work = Work.growing("closing", shared);
        CountDownLatch begun = startStubbornTasks(work);

        work.closeAfter(Duration.ofMillis(1).toNanos());

        Await.open(begun);
    }

    /** So does a callback that closes the client. */
    @Test
    void v5_tasksThatWaitBehindStubbornOnesWhenAPoolAcceptsNoMoreStillRun() {
        Work work = Work.growing("closing", shared);
        CountDownLatch begun = startStubbornTasks(work);

        work.shutdown();

        Await.open(begun);
    }

    private CountDownLatch startStubbornTasks(Work work) {
        CountDownLatch begun = new CountDownLatch(5 * Growth.FEW);
        for (int i = 0; i < 5 * Growth.FEW; i++) {
            work.execute(() -> {
                begun.countDown();
                while (end.getCount() > 0) {
                    LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
                }
            });
        }
        return begun;
    }
}
