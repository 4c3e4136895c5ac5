package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how to wait for a lock, and the outcomes. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class WaitingTest {
    private static final Duration SHORT = Duration.ofMillis(500);

    private final InMemoryStore store = new InMemoryStore();
    private final InMemoryBackend backend = store.connect();
    private final LockClient locks = LockClient.create(backend);
    private final LockClient others = LockClient.create(store.connect());
    private final DistributedLock lock = locks.lock("orders/42");

    @AfterEach
    void close() {
        locks.close();
        others.close();
    }

    private String wait(Duration maxWait) throws InterruptedException {
        Optional<LockHandle> granted = lock.tryAcquire(maxWait);
        if (granted.isEmpty()) {
            return "busy";
        }
        try (LockHandle held = granted.get()) {
            return "done under token " + held.fencingToken();
        }
    }

    @Test
    void v4_aTimedWaitReturnsAHoldOrBusy() throws Exception {
        assertTrue(wait(SHORT).startsWith("done under token "));
        try (LockHandle busy = others.lock("orders/42").acquire()) {
            assertTrue(busy.isHeld());
            assertEquals("busy", wait(SHORT));
        }
    }

    private String run(Duration maxWait, LongConsumer work) throws InterruptedException {
        try {
            boolean done = lock.tryRunLocked(maxWait, held -> work.accept(held.fencingToken()));
            return done ? "done" : "busy";
        } catch (LockLostException e) {
            return "lost while it worked: " + e.loss().reason();
        } catch (LockException e) {
            return "not run, no answer: " + e.getMessage();
        }
    }

    @Test
    void api_busyLostAndUnavailableAreDistinctOutcomes() throws Exception {
        assertEquals("done", run(SHORT, token -> assertTrue(token > 0)));
        try (LockHandle busy = others.lock("orders/42").acquire()) {
            assertTrue(busy.isHeld());
            assertEquals("busy", run(SHORT, token -> {}));
        }
        assertEquals("lost while it worked: GONE", run(SHORT, token -> store.lose("orders/42")));
        backend.pause();
        assertTrue(run(SHORT, token -> {}).startsWith("not run, no answer: lock \"orders/42\""));
        backend.resume();
    }
}
