package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows the options of locks. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class OptionsTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());

    @AfterEach
    void close() {
        locks.close();
    }

    private static LossReason reason(LockHandle held) throws Exception {
        CompletableFuture<LockLoss> lost = new CompletableFuture<>();
        held.onLost(lost::complete);
        return lost.get(20, TimeUnit.SECONDS).reason();
    }

    @Test
    void api_optionsDecideWhenAHoldEndsByItself() throws Exception {
        LockOptions defaults = LockOptions.defaults();
        DistributedLock order = locks.lock("orders/42", defaults.renewedLease(Duration.ofSeconds(10)));
        DistributedLock report = locks.lock("report", defaults.fixedLease(Duration.ofMinutes(10)));
        DistributedLock turns = locks.lock("turns", defaults.fair());
        DistributedLock upload = locks.lock("upload", defaults.maximumHold(Duration.ofHours(1)));

        LockHandle ofOrder = order.acquire();
        LockHandle ofReport = report.acquire();
        LockHandle ofTurns = turns.acquire();
        LockHandle ofUpload = upload.acquire();
        store.advance(Duration.ofMinutes(10));
        assertEquals(LossReason.LEASE_ENDED, reason(ofReport));
        assertTrue(ofUpload.isHeld());
        store.advance(Duration.ofMinutes(50));
        assertEquals(LossReason.MAXIMUM_HOLD, reason(ofUpload));
        assertTrue(ofOrder.isHeld() && ofTurns.isHeld());
        ofOrder.close();
        ofTurns.close();
    }

    private boolean report(Runnable job) throws InterruptedException {
        LockOptions once = LockOptions.defaults().minimumHold(Duration.ofMinutes(1));
        boolean ran = locks.lock("report", once).tryRunLocked(Duration.ZERO, held -> job.run());
        return ran;
    }

    private void write(Runnable write) throws InterruptedException {
        LockOptions delayed = LockOptions.defaults().lockDelay(Duration.ofSeconds(5));
        locks.lock("orders/42", delayed).runLocked(held -> write.run());
    }

    private void handle(List<Runnable> received) throws InterruptedException {
        DistributedLock messages = locks.lock("messages", LockOptions.defaults().sticky());
        for (Runnable message : received) {
            messages.runLocked(held -> message.run());
        }
    }

    @Test
    void v11_aClientKeepsAStickyLockForASecond() throws Exception {
        handle(List.of(() -> {}, () -> {}));
        assertEquals(1, store.size());
        store.advance(Duration.ofSeconds(1));
        Waiting.await("the client has given the lock back", Duration.ofSeconds(20), () -> store.size() == 0);
    }

    @Test
    void s13_aJobRunsOnceInItsMinimumHold() throws Exception {
        assertTrue(report(() -> {}));
        assertFalse(report(() -> {}));
        store.advance(Duration.ofMinutes(1));
        assertTrue(report(() -> {}));
    }

    @Test
    void s15_aLostLockStaysBusyForItsLockDelay() throws Exception {
        assertThrows(LockLostException.class, () -> write(() -> store.jump(Duration.ofSeconds(30))));
        assertTrue(locks.lock("orders/42").tryAcquire().isEmpty());
        store.advance(Duration.ofSeconds(5));
        locks.lock("orders/42").acquire().close();
    }
}
