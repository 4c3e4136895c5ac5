package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockListener;
import io.github.distlock.LockLostException;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What those who run it want to see. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class OperationsTest {
    private final InMemoryStore store = new InMemoryStore();

    /** Counters of the application's own. */
    static final class LockMetrics implements LockListener {
        final LongAdder holds = new LongAdder();
        final LongAdder waitedNanos = new LongAdder();
        final LongAdder losses = new LongAdder();

        @Override
        public void acquired(LockEvent event) {
            holds.increment();
            waitedNanos.add(event.duration().toNanos());
        }

        @Override
        public void lost(LockEvent event, LossReason reason) {
            losses.increment();
        }
    }

    @Test
    void api_aListenerCounts() throws Exception {
        LockMetrics metrics = new LockMetrics();
        try (LockClient locks = LockClient.builder(store.connect())
                .name("orders")
                .listener(metrics)
                .recordAcquireStacks(true)
                .shutdownTimeout(Duration.ofSeconds(10))
                .build()) {
            locks.lock("orders/42").acquire().close();
            LockHandle held = locks.lock("orders/43").acquire();
            store.lose("orders/43");
            assertThrows(LockLostException.class, held::close);
            Await.until("two holds", () -> metrics.holds.sum() == 2);
            Await.until("one loss", () -> metrics.losses.sum() == 1);
            assertTrue(metrics.waitedNanos.sum() > 0);
        }
    }

    @Test
    void api_anOperatorLooksAndIntervenes() throws Exception {
        try (LockClient locks =
                        LockClient.builder(store.connect()).name("orders").build();
                LockClient admin = LockClient.create(store.connect())) {
            LockHandle held = locks.lock("orders/42").acquire();
            LockInspector inspector = admin.inspector();
            LockStatus status = inspector.inspect("orders/42");
            String holder = status.holder().map(found -> found.owner().client()).orElse("nobody");
            inspector.forceRelease("orders/42");
            assertEquals("orders", holder);
            Await.until("the holder knows", () -> !held.isHeld());
        }
    }
}
