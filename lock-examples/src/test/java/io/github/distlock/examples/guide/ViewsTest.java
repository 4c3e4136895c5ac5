package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows the views of locks. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class ViewsTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final List<Long> tokens = new ArrayList<>();

    @AfterEach
    void close() {
        locks.close();
        assertEquals(0, store.size());
    }

    private void ship(long token) {
        tokens.add(token);
    }

    @Test
    void s4_aThreadMayAcquireAgain() throws InterruptedException {
        DistributedLock order = locks.lock("orders/42").reentrant();
        order.runLocked(outer -> order.runLocked(inner -> ship(inner.fencingToken()))); // the same token

        assertEquals(1, tokens.size());
    }

    @Test
    void s4_aThreadOwnsALock() {
        ThreadOwnedLock lock = locks.lock("orders/42").asLock();
        lock.lock();
        try {
            ship(lock.fencingToken());
        } finally {
            lock.unlock(); // throws LockLostException if the lock was lost
        }

        assertEquals(1, tokens.size());
    }

    private void transfer(LongConsumer withdraw, LongConsumer deposit) throws InterruptedException {
        try (LockHandle held = locks.allOf(List.of("account/7", "account/9")).acquire()) {
            withdraw.accept(held.fencingToken("account/7"));
            deposit.accept(held.fencingToken("account/9"));
        }
    }

    @Test
    void s1_allLocksAreHeldTogether() throws InterruptedException {
        transfer(token -> assertTrue(token > 0), token -> assertEquals(2, store.size()));
    }
}
