package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
    private final LockClient others = LockClient.create(store.connect());
    private final Payments payments = (userId, token) -> "receipt of " + userId;
    private final ReentrantLock former = new ReentrantLock();

    private interface Payments {
        String charge(long userId, long fencingToken);
    }

    @AfterEach
    void close() {
        locks.close();
        others.close();
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

    private String pay(long userId) throws InterruptedException {
        return locks.lock("pay/" + userId)
                .tryCallLocked(Duration.ofSeconds(1), held -> payments.charge(userId, held.fencingToken()))
                .orElseThrow(() -> new IllegalStateException("busy, try again"));
    }

    @Test
    void api_aMethodLocksByItsArgument() throws Exception {
        assertEquals("receipt of 7", pay(7));
        try (LockHandle busy = others.lock("pay/7").acquire()) {
            assertTrue(busy.isHeld());
            assertThrows(IllegalStateException.class, () -> pay(7));
            assertEquals("receipt of 8", pay(8));
        }
    }
}
