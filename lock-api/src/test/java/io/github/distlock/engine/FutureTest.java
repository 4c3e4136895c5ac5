package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The futures of asynchronous acquires, and the stages that depend on them. */
class FutureTest extends EngineTest {
    private enum End {
        CANCELLED,
        TIMED_OUT,
        FAILED,
        COMPLETED
    }

    @ParameterizedTest
    @EnumSource
    void s7_endingTheFutureWithdraws(End end) throws Exception {
        LockHandle another = other.lock("b").acquire();

        expectWithdrawn(lock::acquireAsync, end, another);
        expectWithdrawn(() -> lock.tryAcquireAsync(LONG), end, Optional.of(another));

        assertThat(count("acquired")).isZero();
        assertThat(another.isHeld()).isTrue();
    }

    private <T> void expectWithdrawn(Supplier<CompletableFuture<T>> acquire, End end, T value) throws Exception {
        LockHandle held = other.lock("a").acquire();
        CompletableFuture<T> future = acquire.get();
        awaitQueued(1);

        switch (end) {
            case CANCELLED -> future.cancel(true);
            case TIMED_OUT -> future.orTimeout(1, TimeUnit.MILLISECONDS);
            case FAILED -> future.completeExceptionally(new IllegalStateException("failed by the test"));
            case COMPLETED -> future.complete(value);
        }

        Await.until("the queue entry is withdrawn", backend.contenders::isEmpty);
        assertThat(future).isDone();
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void api_cancellingADependentStageDoesNotWithdraw() throws Exception {
        LockHandle held = other.lock("a").acquire();
        CompletableFuture<LockHandle> future = lock.acquireAsync();
        CompletableFuture<Long> dependent = future.thenApply(LockHandle::fencingToken);
        awaitQueued(1);

        dependent.cancel(true);
        assertThat(future).isNotDone();
        held.close();

        get(future).close();
        expectNothingLeft();
    }

    @Test
    void api_dependentsRunOnTheCallbackExecutor() throws Exception {
        Executor callbacks = work -> new Thread(work, "callbacks").start();
        DistributedLock lock = open(settings().callbackExecutor(callbacks)).lock("a");
        LockHandle held = other.lock("a").acquire();

        CompletableFuture<String> granted =
                lock.acquireAsync().thenApply(next -> Thread.currentThread().getName());
        CompletableFuture<String> empty = lock.tryAcquireAsync(LONG)
                .thenApply(none -> Thread.currentThread().getName());
        store.advance(LONG);
        held.close();

        assertThat(get(empty)).isEqualTo("callbacks");
        assertThat(get(granted)).isEqualTo("callbacks");
    }

    @Test
    void v8_aDependentThatBlocksDelaysNothing() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        LockHandle held = other.lock("a").acquire();
        CompletableFuture<LockHandle> blocked = lock.acquireAsync().thenApply(next -> {
            inside.countDown();
            Await.open(end);
            return next;
        });
        held.close();
        Await.open(inside);

        get(client.lock("b").acquireAsync()).close();
        store.advance(LEASE.multipliedBy(2));
        end.countDown();

        assertThat(get(blocked).isHeld()).isTrue();
    }
}
