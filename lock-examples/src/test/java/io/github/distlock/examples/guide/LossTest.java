package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how a holder handles the loss of its lock. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class LossTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final DistributedLock lock = locks.lock("export");
    private final Table table = new Table(() -> store.lose("export"));

    @AfterEach
    void close() {
        locks.close();
    }

    /** Refuses a write whose token is smaller than an earlier one. */
    static final class Table {
        private final List<String> rows = new ArrayList<>();
        private final Runnable afterTwoRows;
        private long newestToken;

        Table(Runnable afterTwoRows) {
            this.afterTwoRows = afterTwoRows;
        }

        synchronized boolean write(String row, long fencingToken) {
            if (fencingToken < newestToken) {
                return false;
            }
            newestToken = fencingToken;
            rows.add(row);
            noteWritten();
            return true;
        }

        private void noteWritten() {
            if (rows.size() == 2) {
                afterTwoRows.run();
            }
        }
    }

    private void export(List<String> rows) throws InterruptedException {
        try (LockHandle held = lock.acquire()) {
            for (String row : rows) {
                held.ensureHeld();
                table.write(row, held.fencingToken());
            }
        }
    }

    @Test
    void s6_aLoopStopsAfterItsLockIsLost() {
        LockLostException lost = assertThrows(LockLostException.class, () -> export(List.of("a", "b", "c")));
        assertEquals(LossReason.GONE, lost.loss().reason());
        assertEquals(List.of("a", "b"), table.rows);
    }

    @Test
    void s6_aListenerCancelsWorkThatDoesNotCheckItsHold() throws Exception {
        CompletableFuture<String> transfer = new CompletableFuture<>();
        try (LockHandle held = lock.acquire()) {
            held.onLost(loss -> transfer.cancel(true));
            store.lose("export");
            Waiting.await("the transfer is cancelled", PATIENCE, transfer::isCancelled);
            assertEquals(LockHandle.Release.LOST, held.release());
        }
    }

    @Test
    void s3_theResourceRefusesASmallerToken() throws Exception {
        LockHandle early = lock.acquire();
        store.lose("export");
        LockHandle late = lock.acquire();
        assertTrue(table.write("late", late.fencingToken()));
        assertFalse(table.write("early", early.fencingToken()));
        late.close();
        assertThrows(LockLostException.class, early::close);
    }
}
