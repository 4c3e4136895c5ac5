package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockInspector;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** The end of a client: for its waiters, its holders, and its threads. */
class CloseTest extends EngineTest {

    @Test
    void v5_closingFailsWaiters() throws Exception {
        LockHandle held = other.lock("a").acquire();
        List<Task<Optional<LockHandle>>> waiters = new ArrayList<>();
        for (Way way : EnumSet.range(Way.TIMED, Way.ASYNC)) {
            waiters.add(startWaiting(() -> way.acquire(lock, LONG)));
        }

        assertThat(start(Executors.callable(client::close))).succeedsWithin(LATE);

        assertThat(waiters).allSatisfy(waiter -> assertFails(waiter).isInstanceOf(LockException.class));
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void v5_holdersMayFinishWhileTheirClientCloses() throws Exception {
        Duration lease = Duration.ofSeconds(3);
        LockClient closing = settings()
                .shutdownTimeout(Duration.ofHours(1))
                .defaultOptions(LockOptions.defaults().renewedLease(lease))
                .build();
        DistributedLock lock = closing.lock("a");
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);

        Task<Object> close = start(Executors.callable(closing::close));
        Await.until("new acquires are refused", () -> lock.acquireAsync().isCompletedExceptionally());
        store.advance(lease.multipliedBy(2));

        assertThat(held.state()).isEqualTo(State.HELD);
        assertThat(close).isNotDone();
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(close).succeedsWithin(LATE);
        assertThat(losses).isEmpty();
        expectNothingLeft();
    }

    @Test
    void v5_aReleaseBesideTheCloseOfItsClientIsConfirmed() {
        for (int i = 0; i < 1_000; i++) {
            LockClient closing = LockClient.builder(store.connect()).build();
            LockHandle held = closing.lock("a").tryAcquire().orElseThrow();

            Task<Object> close = start(Executors.callable(closing::close));

            assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
            assertThat(close).succeedsWithin(LATE);
        }
    }

    @Test
    void v5_aHoldIsReportedLostBeforeItIsReleased() throws Exception {
        // For this client, no time passes. So it gives its listener a moment, however late that one runs.
        long now = store.clock().nanoTime();
        backend.clock = overriding(LockClock.class, backend.clock, "nanoTime", () -> now);
        LockClient closing = open(settings());
        LockHandle held = closing.lock("a").acquire();
        List<Boolean> busyAtLoss = new CopyOnWriteArrayList<>();
        held.onLost(loss -> busyAtLoss.add(other.lock("a").tryAcquire().isEmpty()));

        closing.close();

        Await.until("the loss is reported", () -> !busyAtLoss.isEmpty());
        assertThat(busyAtLoss).containsExactly(true);
        expectNothingLeft();
    }

    @Test
    void s1_aHoldEndsBeforeAWaiterIsGrantedWhenItsClientCloses() throws Exception {
        LockHandle held = lock.acquire();
        CompletableFuture<State> atGrant = other.lock("a").acquireAsync().thenApply(next -> held.state());
        awaitQueued(1);

        client.close();

        assertThat(get(atGrant)).isEqualTo(State.LOST);
    }

    @Test
    void v5_everyCloseEndsWhenTheClientHasEnded() throws Exception {
        LockClient closing = settings().shutdownTimeout(Duration.ofMillis(100)).build();
        LockHandle held = closing.lock("a").acquire();

        Callable<State> close = () -> {
            closing.close();
            return held.state();
        };
        List<Task<State>> closes = List.of(start(close), start(close));

        for (Task<State> each : closes) {
            assertThat(get(each)).isEqualTo(State.LOST);
        }
        closing.close();
        expectNothingLeft();
    }

    @Test
    void v5_aListenerMayCloseTheClient() throws Exception {
        LockHandle lost = lock.acquire();
        LockHandle remaining = client.lock("b").acquire();
        CountDownLatch closed = new CountDownLatch(1);
        lost.onLost(loss -> {
            client.close();
            closed.countDown();
        });

        store.lose("a");

        Await.open(closed);
        assertThat(remaining.state()).isEqualTo(State.LOST);
        expectNothingLeft();
        Await.until("no thread is left", () -> threads().isEmpty());
    }

    @Test
    void v5_aClosedClientRefusesAllUse() {
        LockInspector inspector = client.inspector();

        client.close();

        refuses(() -> client.lock("a"));
        refuses(() -> client.lock("a", LockOptions.defaults()));
        refuses(() -> inspector.inspect("a"));
        assertThat(Way.values()).allSatisfy(way -> refuses(() -> way.acquire(lock, LONG)));
        assertThat(backend.requests).hasValue(0);
    }

    private static void refuses(ThrowingCallable use) {
        assertThatThrownBy(use).isExactlyInstanceOf(IllegalStateException.class);
    }

    @Test
    void v5_anUnusedClientSendsNothingAndLeavesNoThread() {
        client.close();

        assertThat(backend.requests).hasValue(0);
        Await.until("no thread is left", () -> threads().isEmpty());
    }
}
