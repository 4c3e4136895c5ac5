package io.github.distlock.micrometer;

import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockHook;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.waiting.Waiting;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/** Clients of a store in memory whose clock the test moves, and a registry. */
@Timeout(60)
abstract class MetricsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    static final Duration LONG = Duration.ofMinutes(1);

    private final List<LockClient> opened = new ArrayList<>();
    /** The locks for which a client with {@link #settings} has begun to wait. */
    private final Set<String> waits = ConcurrentHashMap.newKeySet();

    final InMemoryStore store = new InMemoryStore();
    final InMemoryBackend connection = store.connect();
    final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    final LockClient other = open(LockClient.builder(store.connect()).build());

    @AfterEach
    final void closeAll() {
        connection.resume();
        opened.forEach(LockClient::close);
    }

    final LockClient open(LockClient client) {
        opened.add(0, client);
        return client;
    }

    final LockClientBuilder settings() {
        return LockClient.builder(connection)
                .name("orders")
                .shutdownTimeout(Duration.ZERO)
                .hook(new LockHook() {
                    @Override
                    public void beforeWait(String lockName) {
                        waits.add(lockName);
                    }
                });
    }

    final double gauge(String name, String lock) {
        var found = registry.find(name).tags("client", "orders", "lock", lock).gauge();
        return found == null ? Double.NaN : found.value();
    }

    final long timed(String name, String... tags) {
        var found = registry.find(name).tags("client", "orders").tags(tags).timer();
        return found == null ? 0 : found.count();
    }

    final double counted(String name, String... tags) {
        var found = registry.find(name).tags("client", "orders").tags(tags).counter();
        return found == null ? 0 : found.count();
    }

    static void await(String what, BooleanSupplier condition) {
        Waiting.await(what, PATIENCE, condition);
    }

    static <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "task");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    /** An acquire that waits when this returns: the store has answered that the lock is busy. */
    final <T> FutureTask<T> startWaiting(String name, Callable<T> acquire) {
        FutureTask<T> task = start(acquire);
        awaitWaiter(name);
        return task;
    }

    final void awaitWaiter(String name) {
        await("an acquire waits for " + name, () -> waits.remove(name));
    }
}
