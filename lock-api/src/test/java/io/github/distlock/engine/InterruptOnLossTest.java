package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockHook;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.ThreadOwnedLock;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A loss interrupts the thread of a hold, if the options say so, as long as the thread has the hold. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class InterruptOnLossTest extends EngineTest {
    private static final LockOptions OPTIONS = LockOptions.defaults().interruptOnLoss();

    private final DistributedLock interrupting = client.lock("a", OPTIONS);
    private final CountDownLatch working = new CountDownLatch(1);
    private final List<LockHandle> handles = new CopyOnWriteArrayList<>();

    /** A thread that notes which threads interrupt it. */
    private static final class Owner<T> extends Thread {
        final List<String> interruptedBy = new CopyOnWriteArrayList<>();
        final FutureTask<T> task;
        volatile Runnable beforeInterrupt = () -> {};

        Owner(Callable<T> call) {
            this(new FutureTask<>(call));
        }

        private Owner(FutureTask<T> task) {
            super(task, "owner");
            this.task = task;
            setDaemon(true);
        }

        @Override
        public void interrupt() {
            interruptedBy.add(Thread.currentThread().getName());
            beforeInterrupt.run();
            super.interrupt();
        }
    }

    private static <T> Owner<T> begin(Callable<T> call) {
        Owner<T> owner = new Owner<>(call);
        owner.start();
        return owner;
    }

    /** Works until an interrupt, which it expects. */
    private static void work(CountDownLatch begun) {
        begun.countDown();
        assertThatThrownBy(() -> new CountDownLatch(1).await()).isInstanceOf(InterruptedException.class);
    }

    /** Acquires the lock and works until an interrupt. When this returns, it works. */
    private static Owner<LockHandle> workUnder(Callable<LockHandle> acquire) {
        CountDownLatch begun = new CountDownLatch(1);
        Owner<LockHandle> owner = begin(() -> {
            LockHandle held = acquire.call();
            work(begun);
            return held;
        });
        Await.open(begun);
        return owner;
    }

    /** No thread that sends interrupts has started. So none was sent, and none will be. */
    private void expectNoInterrupt() {
        assertThat(threads()).noneMatch(name -> name.contains("-interrupt"));
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TIMED", "BLOCKING"})
    void s6_aLossInterruptsTheThreadThatHolds(Way way) throws Exception {
        Owner<LockHandle> owner =
                workUnder(() -> way.acquire(interrupting, LONG).orElseThrow());

        store.lose("a");

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
        assertThat(owner.interruptedBy)
                .as("neither the timer nor a thread that runs listeners")
                .singleElement()
                .asString()
                .matches("distlock-.*-interrupt1");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY_ASYNC", "TIMED_ASYNC", "ASYNC"})
    void api_anAsynchronousAcquireIsRefusedBeforeAnyRequest(Way way) {
        for (DistributedLock refusing : List.of(interrupting, client.allOf(List.of("a", "b"), OPTIONS))) {
            assertThatThrownBy(() -> way.acquire(refusing, LONG))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("lock \"a\": interruptOnLoss needs a thread");
        }

        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void s6_aHoldThatIsLostBeforeItsAcquireReturnsInterrupts() throws Exception {
        LockHook losing = new LockHook() {
            @Override
            public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
                store.lose("a");
            }
        };
        Owner<LockHandle> owner = workUnder(open(settings().hook(losing)).lock("a", OPTIONS)::acquire);

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
    }

    @Test
    void s6_listenersAndExecutorsThatBlockDelayNoInterrupt() throws Exception {
        CountDownLatch blocked = new CountDownLatch(1);
        DistributedLock lock = open(settings().callbackExecutor(task -> {
                    blocked.countDown();
                    Await.open(end);
                }))
                .lock("a", OPTIONS);
        Owner<LockHandle> owner = workUnder(() -> {
            LockHandle held = lock.acquire();
            for (int i = 0; i < 100; i++) {
                held.onLost(loss -> {});
            }
            return held;
        });

        store.lose("a");

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
        Await.open(blocked);
    }

    // The end of a hold

    @ParameterizedTest
    @EnumSource(names = {"RELEASE", "RELEASE_ASYNC"})
    void s6_noInterruptComesAfterARelease(Ending ending) throws Exception {
        LockHandle held = interrupting.acquire();
        store.delete("a");

        ending.end(held);

        event("lost");
        expectNoInterrupt();
    }

    @Test
    void s6_noInterruptComesAfterADetach() throws Exception {
        LockHandle held = interrupting.acquire();
        List<LockLoss> losses = losses(held);
        held.detach();

        store.lose("a");

        expectLoss(LossReason.GONE, losses);
        expectNoInterrupt();
    }

    @Test
    void s6_anInterruptThatWaitsForItsThreadIsNotSentAfterTheEnd() {
        OwnerInterrupt interrupt = new OwnerInterrupt(Thread.currentThread());

        interrupt.end();
        interrupt.run();

        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void s6_anInterruptIsSentOnce() {
        OwnerInterrupt interrupt = new OwnerInterrupt(Thread.currentThread());

        interrupt.run();
        boolean first = Thread.interrupted();
        interrupt.run();

        assertThat(first).isTrue();
        assertThat(Thread.interrupted()).isFalse();
    }

    private enum Ending {
        RELEASE,
        CLOSE_AFTER_RELEASE,
        RELEASE_ASYNC,
        DETACH;

        void end(LockHandle held) {
            switch (this) {
                case RELEASE -> held.release();
                case CLOSE_AFTER_RELEASE -> held.close();
                case RELEASE_ASYNC -> held.releaseAsync();
                case DETACH -> held.detach();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void s6_theEndOfAHoldWaitsForAnInterruptThatIsUnderWay(Ending ending) throws Exception {
        expectWait(ending, interrupting);
    }

    @ParameterizedTest
    @EnumSource
    void s6_theLastHandleOfAReentrantHoldWaitsForAnInterruptThatIsUnderWay(Ending ending) throws Exception {
        expectWait(ending, interrupting.reentrant());
    }

    private void expectWait(Ending ending, DistributedLock of) throws Exception {
        CountDownLatch sending = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        CountDownLatch sent = new CountDownLatch(1);
        CountDownLatch returned = new CountDownLatch(1);
        Owner<Boolean> owner = new Owner<>(() -> {
            LockHandle held = of.acquire();
            working.countDown();
            Await.open(sending);
            if (ending == Ending.CLOSE_AFTER_RELEASE) {
                get(start(held::release));
            }
            ends.countDown();
            ending.end(held);
            boolean isInterrupted = Thread.currentThread().isInterrupted();
            returned.countDown();
            return isInterrupted;
        });
        owner.beforeInterrupt = () -> {
            sending.countDown();
            Await.open(sent);
        };
        owner.start();
        Await.open(working);

        store.lose("a");
        Await.open(ends);
        Await.until(
                "the thread waits, or its call has returned",
                () -> owner.getState() == Thread.State.WAITING || returned.getCount() == 0);
        sent.countDown();

        assertThat(get(owner.task)).as("the interrupt came before the end").isTrue();
    }

    @Test
    void api_aReleaseOnAnotherThreadWaitsForNoInterrupt() throws Exception {
        CountDownLatch sending = new CountDownLatch(1);
        Owner<LockHandle> owner = new Owner<>(() -> {
            LockHandle held = interrupting.acquire();
            handles.add(held);
            work(working);
            return held;
        });
        owner.beforeInterrupt = () -> {
            sending.countDown();
            Await.open(end);
        };
        owner.start();
        Await.open(working);

        store.lose("a");
        Await.open(sending);

        assertThat(handles.get(0).release()).isEqualTo(Release.LOST);
        assertThat(end.getCount()).as("the interrupt is still under way").isEqualTo(1);
    }

    @Test
    void v5_aThreadThatClosesItsClientIsNotInterruptedAndReleasesItsHolds() throws Exception {
        LockHandle held = interrupting.acquire();

        client.close();

        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(held.state()).isEqualTo(State.LOST);
        assertThat(store.size()).isZero();
    }

    @Test
    void s6_theCloseOfAClientInterruptsTheThreadsOfItsHolds() throws Exception {
        Owner<LockHandle> owner = workUnder(interrupting::acquire);

        client.close();

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
    }

    @Test
    void s6_anInterruptThatIsUnderWaySurvivesTheCloseOfItsClient() throws Exception {
        CountDownLatch sending = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        Owner<Boolean> owner = new Owner<>(() -> {
            LockHandle held = interrupting.acquire();
            working.countDown();
            Await.open(closed);
            held.release(); // waits for the interrupt
            return Thread.currentThread().isInterrupted();
        });
        owner.beforeInterrupt = () -> {
            sending.countDown();
            awaitUninterrupted(closed);
        };
        owner.start();
        Await.open(working);

        store.lose("a");
        Await.open(sending);
        client.close();
        closed.countDown();

        assertThat(get(owner.task)).isTrue();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // Whose thread it is

    @Test
    void s6_afterALocalHandoffALossInterruptsTheNewOwnerAlone() throws Exception {
        DistributedLock lock = open(settings().localHandoff(64, LONG)).lock("a", OPTIONS);
        LockHandle first = lock.acquire();
        Owner<LockHandle> next = begin(() -> {
            LockHandle held = lock.acquire();
            work(working);
            return held;
        });
        event("waiting");
        first.release();
        Await.open(working);

        store.lose("a");

        assertThat(get(next.task).state()).isEqualTo(State.LOST);
        assertThat(base(get(next.task))).as("a local handoff").isEqualTo(base(first));
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void s6_theReadHoldOfADowngradeInterruptsItsThread() throws Exception {
        DistributedReadWriteLock both = client.readWriteLock("a", OPTIONS);
        Owner<LockHandle> owner =
                workUnder(() -> both.downgrade(both.writeLock().acquire()));

        store.lose("a");

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
        assertThat(owner.interruptedBy).hasSize(1);
    }

    @Test
    void s6_aDowngradeThatFindsTheLossInterruptsNobody() throws Exception {
        DistributedReadWriteLock both = client.readWriteLock("a", OPTIONS);
        LockHandle writing = both.writeLock().acquire();
        store.delete("a");

        assertThatThrownBy(() -> both.downgrade(writing)).isInstanceOf(LockLostException.class);

        event("lost");
        expectNoInterrupt();
    }

    // Views

    @Test
    void s6_aReentrantHoldInterruptsItsThreadUntilItsLastHandleIsClosed() throws Exception {
        DistributedLock reentrant = interrupting.reentrant();
        Owner<LockHandle> owner = workUnder(() -> {
            LockHandle outer = reentrant.acquire();
            reentrant.acquire().close();
            return outer;
        });

        store.lose("a");

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
        assertThat(owner.interruptedBy).hasSize(1);
    }

    @Test
    void s6_noInterruptComesAfterTheLastHandleOfAReentrantHold() throws Exception {
        DistributedLock reentrant = interrupting.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        store.delete("a");

        outer.release();
        inner.release();

        event("lost");
        expectNoInterrupt();
    }

    @Test
    void s6_noInterruptComesOnceAReentrantHoldGoesOnWithoutItsThread() throws Exception {
        DistributedLock reentrant = interrupting.reentrant();
        LockHandle passedOn = reentrant.acquire();
        LockHandle own = reentrant.acquire();
        List<LockLoss> losses = losses(passedOn);
        passedOn.detach();
        own.close();

        store.lose("a");

        expectLoss(LossReason.GONE, losses);
        expectNoInterrupt();
    }

    @Test
    void s4_aReentrantAcquireThatJoinsKeepsTheOptionsOfTheFirst() throws Exception {
        LockHandle outer = lock.reentrant().acquire();
        LockHandle inner = interrupting.reentrant().acquire();
        List<LockLoss> losses = losses(inner);

        store.lose("a");

        expectLoss(LossReason.GONE, losses);
        expectNoInterrupt();
        assertThat(outer.isHeld()).isFalse();
    }

    @Test
    void s6_aLockOfJavaUtilConcurrentInterruptsUntilItIsUnlocked() throws Exception {
        ThreadOwnedLock owned = interrupting.asLock();
        Owner<Boolean> owner = begin(() -> {
            owned.lock();
            work(working);
            assertThatThrownBy(owned::unlock).isInstanceOf(LockLostException.class);
            return owned.isHeldByCurrentThread();
        });
        Await.open(working);

        store.lose("a");

        assertThat(get(owner.task)).isFalse();
        owned.lock();
        store.delete("a");
        assertThatThrownBy(owned::unlock).isInstanceOf(LockLostException.class);
        Await.until("the second loss is reported", () -> count("lost") == 2);
        assertThat(owner.interruptedBy).hasSize(1);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void s6_aBorrowedReadLockInterruptsOnceItsThreadHasUnlockedTheWriteLock() throws Exception {
        ReadWriteLock both = client.readWriteLock("a", OPTIONS).asReadWriteLock();
        Owner<Void> owner = begin(() -> {
            both.writeLock().lock();
            both.readLock().lock();
            both.writeLock().unlock();
            work(working);
            assertThatThrownBy(both.readLock()::unlock).isInstanceOf(LockLostException.class);
            return null;
        });
        Await.open(working);

        store.lose("a");

        get(owner.task);
        assertThat(owner.interruptedBy).hasSize(1);
    }

    @Test
    void s6_theLossOfOneOfSeveralLocksInterrupts() throws Exception {
        DistributedLock all = client.allOf(List.of("a", "b"), OPTIONS);
        for (DistributedLock each : List.of(all, all.reentrant())) {
            Owner<LockHandle> owner = workUnder(each::acquire);

            store.lose("b");

            LockHandle held = get(owner.task);
            assertThat(held.state()).isEqualTo(State.LOST);
            assertThat(owner.interruptedBy).hasSize(1);
            held.release();
        }
    }

    @Test
    void s6_aLossWhileSeveralLocksAreAcquiredInterruptsNobody() throws Exception {
        LockHandle before = other.lock("b").acquire();
        Owner<LockHandle> owner = begin(client.allOf(List.of("a", "b"), OPTIONS)::acquire);
        event("waiting");
        store.lose("a");
        event("lost");

        before.close();

        assertThat(get(owner.task).isHeld()).as("all locks are held").isTrue();
        assertThat(owner.interruptedBy).isEmpty();
        get(owner.task).close();
    }

    @Test
    void s6_oneNameOfSeveralInterruptsAsAlone() throws Exception {
        Owner<LockHandle> owner = workUnder(client.allOf(List.of("a", "a"), OPTIONS)::acquire);

        store.lose("a");

        assertThat(get(owner.task).state()).isEqualTo(State.LOST);
    }

    @Test
    void api_theOptionIsKeptByOthersAndShown() {
        assertThat(OPTIONS.fair().interruptsOnLoss()).isTrue();
        assertThat(LockOptions.defaults().interruptsOnLoss()).isFalse();
        assertThat(OPTIONS).isNotEqualTo(LockOptions.defaults());
        assertThat(OPTIONS.hashCode()).isNotEqualTo(LockOptions.defaults().hashCode());
        assertThat(OPTIONS).hasToString("renewed lease of PT30S, interrupts on loss");
    }
}
