package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.waiting.ThreadCensus;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Very many asynchronous acquires of one client, half of which are canceled at random moments. The other ones acquire
 * their locks, nothing is left at the store, and few threads do all of this. The test of a backend extends this class
 * and provides the store.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class AsynchronousWaiters {
    private static final int NUMBER = Integer.getInteger("lock.asynchronous-waiters", 1_000);
    private static final Duration PATIENCE = Duration.ofSeconds(150);
    /** 16 for requests, 4 each for releases and cleanup, some others, and 4 for callbacks: more if no CPU is free. */
    private static final int MOST_THREADS = 200;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final String client = "waiters" + UUID.randomUUID();
    private final List<CompletableFuture<LockHandle>> futures = new ArrayList<>();
    private final List<CompletableFuture<LockHandle>> toCancel = new ArrayList<>();
    private final AtomicInteger granted = new AtomicInteger();
    private int canceled;

    @SuppressWarnings("NullAway.Init")
    private BackendFixture store;

    @SuppressWarnings("NullAway.Init")
    private LockClient holding;

    @SuppressWarnings("NullAway.Init")
    private LockClient waiting;

    /** For the test of one backend. */
    protected AsynchronousWaiters() {}

    /**
     * Opens an empty store for one test, which closes it.
     *
     * @return a new fixture
     * @throws Exception if there is none, which fails the test
     */
    protected abstract BackendFixture newFixture() throws Exception;

    @BeforeEach
    final void open() throws Exception {
        store = newFixture();
        holding = LockClient.create(store.newBackend());
        waiting = LockClient.builder(store.newBackend()).name(client).build();
    }

    @AfterEach
    final void close() {
        waiting.close();
        holding.close();
        store.close();
    }

    @Test
    final void v6_manyWaitersForOneNameNeedFewThreads() throws Exception {
        LockHandle held = holding.lock("one").acquire();
        try (ThreadCensus threads = ThreadCensus.of("distlock-" + client + "-")) {
            for (int i = 0; i < NUMBER; i++) {
                start(waiting.lock("one"));
                cancelNowAndThen();
            }
            held.close();
            cancelTheRest();

            expectGrantsAndNothingLeft(threads);
        }
    }

    @Test
    final void v6_waitersForManyNamesNeedFewThreads() throws Exception {
        List<CompletableFuture<LockHandle>> acquires = new ArrayList<>();
        for (int i = 0; i < NUMBER; i++) {
            acquires.add(holding.lock("name" + i).acquireAsync());
        }
        List<LockHandle> held = new ArrayList<>();
        for (CompletableFuture<LockHandle> acquire : acquires) {
            held.add(acquire.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        try (ThreadCensus threads = ThreadCensus.of("distlock-" + client + "-")) {
            for (int i = 0; i < NUMBER; i++) {
                start(waiting.lock("name" + i));
                cancelNowAndThen();
            }
            held.forEach(LockHandle::releaseAsync);
            cancelTheRest();

            expectGrantsAndNothingLeft(threads);
        }
    }

    private void start(DistributedLock lock) {
        CompletableFuture<LockHandle> future = lock.acquireAsync();
        futures.add(future);
        if (random.nextBoolean()) {
            toCancel.add(future);
        }
        var unused = future.thenAccept(held -> {
            granted.incrementAndGet();
            var unusedToo = held.releaseAsync();
        });
    }

    /** Cancels some waiters while others begin: soon after their beginning, or much later. */
    private void cancelNowAndThen() {
        if (random.nextInt(4) == 0 && !toCancel.isEmpty()) {
            cancel(random.nextBoolean() ? toCancel.size() - 1 : random.nextInt(toCancel.size()));
        }
    }

    /** Cancels the rest while others acquire. */
    private void cancelTheRest() {
        while (!toCancel.isEmpty()) {
            cancel(random.nextInt(toCancel.size()));
        }
    }

    private void cancel(int position) {
        CompletableFuture<LockHandle> chosen = toCancel.get(position);
        toCancel.set(position, toCancel.get(toCancel.size() - 1));
        toCancel.remove(toCancel.size() - 1);
        if (chosen.cancel(true)) {
            canceled++;
        }
    }

    private void expectGrantsAndNothingLeft(ThreadCensus threads) throws Exception {
        Waiting.await(
                "each waiter is granted the lock or canceled, seed " + seed,
                PATIENCE,
                () -> futures.stream().allMatch(CompletableFuture::isDone) && granted.get() + canceled >= NUMBER);
        assertEquals(NUMBER, granted.get() + canceled, "waiters that were granted the lock or canceled, seed " + seed);
        Waiting.await("nothing is left at the store, seed " + seed, PATIENCE, this::isNothingLeft);
        assertTrue(threads.most() <= MOST_THREADS, threads.most() + " threads at the same time");
    }

    private boolean isNothingLeft() {
        try {
            return store.leftovers().isEmpty();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
