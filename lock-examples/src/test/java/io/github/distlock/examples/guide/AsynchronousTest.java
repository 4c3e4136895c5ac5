package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how to acquire a lock without blocking a thread. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class AsynchronousTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final InMemoryStore store = new InMemoryStore();
    private final ExecutorService executor =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "orders-worker"));
    private final LockClient locks =
            LockClient.builder(store.connect()).callbackExecutor(executor).build();
    private final DistributedLock lock = locks.lock("orders/42");

    @AfterEach
    void close() {
        locks.close();
        executor.shutdown();
    }

    private static String save(long fencingToken) {
        return fencingToken > 0 ? Thread.currentThread().getName() : "";
    }

    @Test
    void api_aStageUsesAndReleasesTheLock() throws Exception {
        CompletableFuture<String> saved = lock.acquireAsync()
                .orTimeout(5, TimeUnit.SECONDS)
                .thenApplyAsync(held -> {
                    try (held) {
                        return save(held.fencingToken());
                    }
                });
        assertEquals("orders-worker", saved.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        Waiting.await("the lock is free", PATIENCE, () -> store.size() == 0);
    }

    @Test
    void v7_aCancelledAcquireLeavesNothing() throws Exception {
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> waiting = lock.acquireAsync();
        waiting.cancel(false);
        held.close();
        assertTrue(waiting.isCancelled());
        Waiting.await("the store is empty", PATIENCE, () -> store.size() == 0);
    }
}
