package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how to test code that locks. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class InMemoryTest {
    @Test
    void s8_aHoldIsSuspectAndThenLostDuringAnOutage() throws Exception {
        InMemoryStore store = new InMemoryStore();
        InMemoryBackend connection = store.connect();
        try (LockClient locks = LockClient.create(connection)) {
            LockHandle held = locks.lock("report").acquire();
            connection.pause(); // from now on the store does not answer this client
            store.advance(Duration.ofSeconds(20));
            assertEquals(LockHandle.State.SUSPECT, held.state());
            store.advance(Duration.ofSeconds(10));
            assertEquals(LockHandle.State.LOST, held.state());
            connection.resume();
        }
        assertEquals(0, store.size()); // nothing was left behind
    }

    @Test
    void s6_aHoldIsLostDuringALongPauseOfItsProcess() throws Exception {
        InMemoryStore store = new InMemoryStore();
        try (LockClient locks = LockClient.create(store.connect());
                LockClient others = LockClient.create(store.connect())) {
            LockHandle held = locks.lock("report").acquire();
            assertTrue(others.lock("report").tryAcquire().isEmpty());
            store.jump(Duration.ofMinutes(1)); // nothing could run in between
            assertFalse(held.isHeld());
            others.lock("report").acquire().close();
        }
    }
}
