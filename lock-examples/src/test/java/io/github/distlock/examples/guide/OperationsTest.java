package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHook;
import io.github.distlock.LockInspector;
import io.github.distlock.LockListener;
import io.github.distlock.LockLostException;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how operators observe locks and intervene. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class OperationsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final InMemoryStore store = new InMemoryStore();

    /** Counts holds, waits and losses. */
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

    /** What the log lines of a thread show, in the place of the MDC of a logger. */
    static final class ThreadContext {
        private final ThreadLocal<Map<String, String>> values = ThreadLocal.withInitial(HashMap::new);

        void put(String key, String value) {
            values.get().put(key, value);
        }

        void remove(String key) {
            values.get().remove(key);
        }

        Map<String, String> ofThisThread() {
            return Map.copyOf(values.get());
        }
    }

    /** Adds the lock that a thread holds to its log lines. */
    record ContextHook(ThreadContext context) implements LockHook {
        @Override
        public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
            if (outcome == AcquireOutcome.ACQUIRED) {
                context.put("lock", event.lockName()); // of this thread, such as the MDC of a logger
            }
        }

        @Override
        public void afterRelease(LockEvent event, LockHandle.Release outcome) {
            context.remove("lock");
        }
    }

    @Test
    void api_aHookAddsTheLockToTheContextOfItsThread() throws Exception {
        ThreadContext context = new ThreadContext();
        try (LockClient locks = LockClient.builder(store.connect())
                .hook(new ContextHook(context))
                .build()) {
            try (LockHandle held = locks.lock("orders/42").acquire()) {
                assertEquals(Map.of("lock", held.lockName()), context.ofThisThread());
            }
            assertEquals(Map.of(), context.ofThisThread());
        }
    }

    @Test
    void api_aListenerCountsHoldsAndLosses() throws Exception {
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
            Waiting.await("two holds", PATIENCE, () -> metrics.holds.sum() == 2);
            Waiting.await("one loss", PATIENCE, () -> metrics.losses.sum() == 1);
            assertTrue(metrics.waitedNanos.sum() > 0);
        }
    }

    @Test
    void api_anOperatorInspectsALockAndForcesItsRelease() throws Exception {
        try (LockClient locks =
                        LockClient.builder(store.connect()).name("orders").build();
                LockClient admin = LockClient.create(store.connect())) {
            LockHandle held = locks.lock("orders/42").acquire();
            LockInspector inspector = admin.inspector();
            LockStatus status = inspector.inspect("orders/42");
            List<String> holders = status.holders().stream()
                    .map(found -> found.owner().client())
                    .toList();
            LockStatus.Holder stuck = status.holders().get(0);
            Optional<LockStatus.Holder> ended = inspector.forceRelease("orders/42", stuck.fencingToken());
            assertEquals(List.of("orders"), holders);
            assertTrue(ended.isPresent());
            Waiting.await("the hold is lost", PATIENCE, () -> !held.isHeld());
        }
    }
}
