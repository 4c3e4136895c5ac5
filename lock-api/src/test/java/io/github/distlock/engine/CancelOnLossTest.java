package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A loss cancels the futures of a hold, each once, and a release cancels none. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class CancelOnLossTest extends EngineTest {

    /** A future that notes which threads cancel it. It equals any other. */
    private static final class Job extends CompletableFuture<String> {
        final List<String> canceledBy = new CopyOnWriteArrayList<>();

        @Override
        public boolean cancel(boolean interrupts) {
            canceledBy.add(Thread.currentThread().getName());
            assertThat(interrupts).isTrue();
            return super.cancel(interrupts);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Job;
        }

        @Override
        public int hashCode() {
            return 0;
        }
    }

    private static void expectCanceled(Job... futures) {
        for (Job future : futures) {
            Await.until("it is canceled", future::isCancelled);
            assertThat(future.canceledBy).singleElement().asString().contains("-callback");
        }
    }

    /** No callback runs or waits, so what a loss or a release cancels has been canceled. */
    private void expectNotCanceled(Job... futures) {
        client.close();
        for (Job future : futures) {
            assertThat(future.canceledBy).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void s6_aLossCancelsEachFutureOnce(Way way) throws Exception {
        LockHandle held = way.acquire(lock, LONG).orElseThrow();
        Job first = new Job();
        Job second = new Job();
        held.cancelOnLoss(first);
        held.cancelOnLoss(second);
        held.cancelOnLoss(first);

        store.lose("a");

        expectCanceled(first, second);
    }

    @Test
    void s6_aLossInterruptsTheTaskOfAnExecutor() throws Exception {
        LockHandle held = lock.acquire();
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        FutureTask<Void> task = new FutureTask<>(() -> {
            running.countDown();
            assertThatThrownBy(() -> new CountDownLatch(1).await()).isInstanceOf(InterruptedException.class);
            interrupted.countDown();
            return null;
        });
        Thread thread = new Thread(task, "task");
        thread.setDaemon(true);
        thread.start();
        held.cancelOnLoss(task);
        Await.open(running);

        store.lose("a");

        Await.open(interrupted);
        assertThat(task.isCancelled()).isTrue();
    }

    @Test
    void s6_aFutureThatComesAfterTheLossIsCanceledAtOnce() throws Exception {
        LockHandle held = lock.acquire();
        Job before = new Job();
        Job after = new Job();
        held.cancelOnLoss(before);
        store.lose("a");
        expectCanceled(before);

        held.cancelOnLoss(after);

        expectCanceled(after, before);
    }

    @Test
    void s6_aFutureOfAHoldThatHasLapsedUnnoticedIsCanceledAtOnce() throws Exception {
        LockHandle held = lock.acquire();
        Job future = new Job();
        memory.pause();
        store.jump(LEASE);

        held.cancelOnLoss(future);

        expectCanceled(future);
    }

    @Test
    void s6_aLossThatAReleaseFindsCancels() throws Exception {
        LockHandle held = lock.acquire();
        Job future = new Job();
        held.cancelOnLoss(future);
        store.delete("a");

        assertThat(held.release()).isEqualTo(Release.LOST);

        expectCanceled(future);
    }

    @Test
    void api_aReleaseCancelsNothing() throws Exception {
        LockHandle held = lock.acquire();
        Job before = new Job();
        Job after = new Job();
        held.cancelOnLoss(before);

        held.release();
        held.cancelOnLoss(after);
        store.lose("a");

        expectNotCanceled(before, after);
    }

    @Test
    void v8_aFutureThatBlocksOrThrowsKeepsNoOtherFromItsCancellation() throws Exception {
        LockHandle held = lock.acquire();
        List<Job> futures = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            boolean blocks = i % 2 == 0;
            held.cancelOnLoss(new CompletableFuture<>() {
                @Override
                public boolean cancel(boolean interrupts) {
                    if (blocks) {
                        Await.open(end);
                    }
                    throw new IllegalStateException("planted");
                }
            });
            futures.add(new Job());
            held.cancelOnLoss(futures.get(i));
        }

        store.lose("a");

        expectCanceled(futures.toArray(new Job[0]));
    }

    @Test
    void api_aFutureIsMandatory() throws Exception {
        LockHandle held = lock.acquire();
        LockHandle all = client.allOf(List.of("b", "c")).acquire();
        LockHandle reentrant = client.lock("d").reentrant().acquire();

        for (LockHandle each : List.of(held, all, reentrant)) {
            assertThatThrownBy(() -> each.cancelOnLoss(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("future");
        }
    }

    // Memory

    /** Registers futures that are done soon after, and one that is not. Returns which ones are kept. */
    private static List<WeakReference<Object>> registerMany(LockHandle held) {
        List<WeakReference<Object>> done = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            CompletableFuture<String> future = new CompletableFuture<>();
            held.cancelOnLoss(future);
            future.complete("done");
            done.add(new WeakReference<>(future));
        }
        return done;
    }

    private static long kept(List<WeakReference<Object>> references) {
        System.gc();
        return references.stream().filter(each -> each.get() != null).count();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v6_aLongHoldKeepsFewFuturesThatAreDone(boolean reentrant) throws Exception {
        LockHandle held = (reentrant ? lock.reentrant() : lock).acquire();
        List<Job> underWay = IntStream.range(0, 20).mapToObj(i -> new Job()).toList();
        underWay.forEach(held::cancelOnLoss);

        List<WeakReference<Object>> done = registerMany(held);

        Await.until("few are kept", () -> kept(done) <= 32);
        store.lose("a");
        expectCanceled(underWay.toArray(new Job[0]));
    }

    @Test
    void v6_handlesThatAreClosedBeforeTheHoldKeepFewFutures() throws Exception {
        DistributedLock reentrant = lock.reentrant();
        LockHandle outer = reentrant.acquire();
        List<WeakReference<Object>> futures = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            Job future = new Job();
            try (LockHandle inner = reentrant.acquire()) {
                inner.cancelOnLoss(future);
            }
            futures.add(new WeakReference<>(future));
        }

        Await.until("few are kept", () -> kept(futures) <= 32);
        assertThat(outer.isHeld()).isTrue();
    }

    // Views

    @Test
    void s6_aReentrantHoldCancelsForTheHandlesThatAreOpen() throws Exception {
        DistributedLock reentrant = lock.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        Job ofOuter = new Job();
        Job ofInner = new Job();
        Job ofBoth = new Job();
        outer.cancelOnLoss(ofOuter);
        outer.cancelOnLoss(ofBoth);
        inner.cancelOnLoss(ofInner);
        inner.cancelOnLoss(ofBoth);
        inner.close();

        store.lose("a");

        expectCanceled(ofOuter, ofBoth);
        expectNotCanceled(ofInner);
    }

    @Test
    void s6_theLossOfOneOfSeveralLocksCancels() throws Exception {
        LockHandle held = client.allOf(List.of("a", "b")).acquire();
        Job future = new Job();
        held.cancelOnLoss(future);

        store.lose("b");

        expectCanceled(future);
        store.lose("a");
        event("lost");
        client.close();
        expectCanceled(future);
    }
}
