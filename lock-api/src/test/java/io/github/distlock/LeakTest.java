package io.github.distlock;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** V9: a handle that is dropped is noticed and its lock is freed, whatever kind of acquire it came from. */
class LeakTest {
    private final InMemoryStore store = new InMemoryStore();
    private final List<LockEvent> leaked = new CopyOnWriteArrayList<>();
    private final LockClient client = LockClient.builder(store.connect())
            .shutdownTimeout(Duration.ZERO)
            .listener(new LockListener() {
                @Override
                public void leaked(LockEvent event) {
                    leaked.add(event);
                }
            })
            .build();

    @AfterEach
    void close() {
        client.close();
    }

    private enum Kind {
        ACQUIRE,
        TRY,
        TIMED,
        ASYNC,
        TRY_ASYNC,
        FAIR
    }

    static Stream<Kind> kinds() {
        return Stream.of(Kind.values());
    }

    private Callable<Object> acquire(Kind kind) {
        DistributedLock lock = client.lock("leaky");
        return switch (kind) {
            case ACQUIRE -> lock::acquire;
            case TRY -> lock::tryAcquire;
            case TIMED -> () -> lock.tryAcquire(Duration.ofSeconds(10));
            case ASYNC -> () -> lock.acquireAsync().get();
            case TRY_ASYNC -> () -> lock.tryAcquireAsync(Duration.ZERO).get();
            case FAIR -> client.lock("leaky", LockOptions.defaults().fair())::acquire;
        };
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void v9_aDroppedHandleIsReleasedAndReportedOnce(Kind kind) throws Exception {
        long token = dropAfter(acquire(kind));
        Await.until("the leak is noticed", () -> {
            System.gc();
            return !leaked.isEmpty();
        });
        Await.until("the lock is free", () -> store.size() == 0);
        assertThat(leaked).singleElement().extracting(LockEvent::fencingToken).isEqualTo(token);
    }

    private static long dropAfter(Callable<Object> acquire) throws Exception {
        Object held = acquire.call();
        LockHandle handle =
                held instanceof java.util.Optional<?> granted ? (LockHandle) granted.orElseThrow() : (LockHandle) held;
        return handle.fencingToken();
    }
}
