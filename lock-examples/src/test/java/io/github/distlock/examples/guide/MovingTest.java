package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how to move from another library, without using its classes. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class MovingTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final DistributedLock lock = locks.lock("orders/42");
    private final ReentrantLock former = new ReentrantLock();

    @AfterEach
    void close() {
        locks.close();
    }

    private void underBoth(LongConsumer work) throws InterruptedException {
        former.lockInterruptibly();
        try (LockHandle held = lock.acquire()) {
            work.accept(held.fencingToken());
        } finally {
            former.unlock();
        }
    }

    @Test
    void s1_theWorkHoldsBothLocks() throws Exception {
        underBoth(token -> {
            assertTrue(former.isHeldByCurrentThread());
            assertEquals(1, store.size());
        });
        assertFalse(former.isLocked());
        assertEquals(0, store.size());
    }

    private boolean nightly(Runnable job) throws InterruptedException {
        LockOptions nightly =
                LockOptions.defaults().fixedLease(Duration.ofMinutes(10)).minimumHold(Duration.ofMinutes(1));
        boolean ran = locks.lock("nightly", nightly).tryRunLocked(Duration.ZERO, held -> job.run());
        return ran;
    }

    @Test
    void api_aJobIsSkippedIfItsLockIsBusy() throws Exception {
        assertTrue(nightly(() -> assertEquals(1, store.size())));
        assertFalse(nightly(() -> {}));
        store.advance(Duration.ofMinutes(1));
        try (LockHandle busy = locks.lock("nightly").acquire()) {
            assertTrue(busy.isHeld());
            assertFalse(nightly(() -> {}));
        }
    }
}
