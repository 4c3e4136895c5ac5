package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Futures of acquires, and all the ways to end them. */
abstract class FutureRules extends Rules {

    @Test
    void s7_1_cancellingTheFutureWithdraws() throws Exception {
        expectWithdrawn(future -> future.cancel(true));
        expectFree("after the future was cancelled");
    }

    @Test
    void s7_2_aTimeOutOfTheFutureWithdraws() throws Exception {
        expectWithdrawn(future -> {
            CompletableFuture<LockHandle> same = future.orTimeout(1, TimeUnit.MILLISECONDS);
            expect(same == future, "orTimeout returns the future itself", same);
            try {
                failure(future, TimeoutException.class, "of orTimeout");
            } catch (Exception e) {
                throw broken("a time-out", e.toString(), e);
            }
        });
        expectFree("after the time-out of the future");
    }

    @Test
    void s7_3_failingTheFutureWithdraws() throws Exception {
        expectWithdrawn(future -> {
            boolean completed = future.completeExceptionally(new IllegalStateException("enough"));
            expect(completed, "a waiting future can be failed", "it cannot");
        });
        expectFree("after the future was failed");
    }

    @Test
    void s7_4_completingTheFutureWithdraws() throws Exception {
        LockHandle other = peer().lock(name + "other").acquire();
        expectWithdrawn(future -> expect(future.complete(other), "a waiting future can be completed", "it cannot"));
        expectHeld(other, "with its own name, after another's future was completed with it");
        other.close();
        expectFree("after the future was completed");
    }

    private void expectWithdrawn(Consumer<CompletableFuture<LockHandle>> ending) throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = a.lock(name).acquire();
        CompletableFuture<LockHandle> future = b.lock(name).acquireAsync();
        await("an asynchronous acquire waits", () -> b.faults.toldBusy() > 0);
        ending.accept(future);
        expect(future.isDone(), "the future is done", future);
        expectHeld(held, "after another has withdrawn");
        held.close();
        Peer c = peer();
        await("the lock is free for another client after the future was ended", soon(), () -> isFreeFor(c, name));
        expect(b.events.count("acquired") == 0, "no hold for a future that was ended", b.events.kinds());
    }

    @Test
    void s7_5_endingAFutureThatRacesItsGrantLeavesNothing() throws Exception {
        Peer a = peer();
        Peer b = peer();
        for (int i = 0; i < 30; i++) {
            LockHandle held = a.lock(name).acquire();
            int before = b.faults.toldBusy();
            CompletableFuture<LockHandle> future = b.lock(name).acquireAsync();
            await("an asynchronous acquire waits", () -> b.faults.toldBusy() > before);
            Task<LockHandle.Release> releasing = start(held::release);
            boolean cancelled = future.cancel(true);
            get(releasing);
            if (!cancelled) {
                get(future, "a hold, since the future refused to be cancelled").close();
            }
        }
        expectFree("after futures were cancelled");
    }

    @Test
    void api_15_cancellingADependentStageDoesNotWithdraw() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        CompletableFuture<LockHandle> future = b.lock(name).acquireAsync();
        CompletableFuture<Long> dependent = future.thenApply(LockHandle::fencingToken);
        await("an asynchronous acquire waits", () -> b.faults.toldBusy() > 0);
        expect(dependent.cancel(true), "a dependent stage can be cancelled", "it cannot");
        expect(!future.isDone(), "the acquire goes on", future);
        held.close();
        get(future, "a hold, although a dependent stage was cancelled").close();
        expectFree("after the release");
    }

    @Test
    void api_16_dependentsRunOnTheCallbackExecutor() throws Exception {
        ExecutorService callbacks = Executors.newSingleThreadExecutor(work -> {
            Thread thread = new Thread(work, "contract-callbacks");
            thread.setDaemon(true);
            return thread;
        });
        try {
            Peer b = connected(peer(builder -> builder.callbackExecutor(callbacks)));
            List<String> threads = new CopyOnWriteArrayList<>();
            Peer a = peer();
            LockHandle held = a.lock(name).acquire();
            LockHandle other = a.lock(name + "other").acquire();
            CompletableFuture<Void> granted = b.lock(name).acquireAsync().thenAccept(next -> {
                threads.add(Thread.currentThread().getName());
                next.close();
            });
            CompletableFuture<Void> empty = b.lock(name + "other")
                    .tryAcquireAsync(brief())
                    .thenAccept(none -> threads.add(Thread.currentThread().getName()));
            get(empty.thenApply(done -> true), "an empty answer");
            other.close();
            held.close();
            get(granted.thenApply(done -> true), "granted after the release");
            expect(
                    threads.equals(List.of("contract-callbacks", "contract-callbacks")),
                    "dependents run on the callback executor",
                    threads);
            b.locks.close();
        } finally {
            callbacks.shutdown();
        }
    }

    @Test
    void v8_1_aDependentThatBlocksHurtsNobody() throws Exception {
        Peer b = peer();
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch inside = new CountDownLatch(1);
        LockHandle held = peer().lock(name).acquire();
        CompletableFuture<Boolean> blocked = b.lock(name).acquireAsync().thenApply(next -> {
            inside.countDown();
            waitFor(over);
            return next.isHeld();
        });
        await("an asynchronous acquire waits", () -> b.faults.toldBusy() > 0);
        held.close();
        await("the dependent runs", () -> inside.getCount() == 0);
        CompletableFuture<LockHandle> other = b.lock(name + "other").acquireAsync();
        get(other, "another lock while a dependent blocks").close();
        store.letPass(lease.multipliedBy(2));
        over.countDown();
        expect(get(blocked, "the dependent ends"), "renewed while its dependent blocks", "lost");
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
