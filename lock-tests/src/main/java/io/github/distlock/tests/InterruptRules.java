package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules V7: an interrupt acts soon, leaves nothing behind, and is never forgotten. */
abstract class InterruptRules extends Rules {

    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "TIMED"})
    void v7_2_anInterruptEndsAWaitInTime(Acquire acquire) {
        Peer b = peer();
        LockHandle held = acquire(peer());
        Task<Optional<LockHandle>> waiter = queued(b, () -> acquire.start(b.lock(name), Duration.ofHours(1)));

        expectInterruptedWithin(waiter, Duration.ZERO);

        expectHeld(held, "after a waiter was interrupted");
        if (can(Capability.INSPECT)) {
            await(
                    "no queue entry of the interrupted waiter",
                    soon(),
                    () -> b.locks.inspector().inspect(name).waiters().isEmpty());
        }
        held.close();
        expectFree("after the release, although a waiter was interrupted");
    }

    @Test
    void v7_5_anInterruptEndsAnUnansweredAcquireInTime() {
        Duration requestTimeout = Duration.ofMillis(400);
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout));
        silence(a);
        Task<LockHandle> acquiring = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);

        expectInterruptedWithin(acquiring, requestTimeout);

        restore(a);
        expectFree("once the store answers again");
    }

    private void expectInterruptedWithin(Task<?> task, Duration bound) {
        long begin = System.nanoTime();
        task.thread.interrupt();
        failure(task, InterruptedException.class, "of an interrupted acquire");
        long millis = (System.nanoTime() - begin) / 1_000_000;
        expect(millis <= latest(bound), "ended within " + latest(bound) + " ms", millis + " ms");
        expect(!task.interruptedAtEnd(), "the flag is cleared with the exception", "set");
    }

    @Test
    void v7_6_anInterruptDuringTheGrantIsNotLost() {
        Peer a = peer();
        Peer b = peer();
        for (int i = 0; i < 30; i++) {
            LockHandle held = acquire(a);
            CountDownLatch interrupted = new CountDownLatch(1);
            Task<Optional<LockHandle>> waiter = queued(b, () -> start(() -> acquireUntil(b, interrupted)));

            Task<LockHandle.Release> releasing = start(held::release);
            if (i % 2 == 1) {
                get(releasing);
            }
            interrupt(waiter, interrupted);

            expectExceptionOrFlag(waiter).ifPresent(LockHandle::release);
            get(releasing);
        }
        expectFree("after many interrupts");
    }

    @Test
    void v7_10_anInterruptDuringARequestLeavesNothing() {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();

        expectEndWhenInterrupted(a, reply::isUnderWay);

        expectFree("after an interrupt while the grant was under way");
        int before = a.faults.requests();
        expectEndWhenInterrupted(a, () -> a.faults.requests() > before);
        expectFree("after an interrupt while the store was asked");
    }

    private void expectEndWhenInterrupted(Peer peer, BooleanSupplier asked) {
        CountDownLatch interrupted = new CountDownLatch(1);
        Task<Optional<LockHandle>> acquiring = start(() -> acquireUntil(peer, interrupted));
        await("the store is asked", asked);
        interrupt(acquiring, interrupted);
        expectExceptionOrFlag(acquiring).ifPresent(LockHandle::release);
    }

    /** Does not end before it was interrupted. */
    private Optional<LockHandle> acquireUntil(Peer peer, CountDownLatch interrupted) {
        Optional<LockHandle> granted = acquireUnlessInterrupted(peer);
        while (interrupted.getCount() > 0) {
            Thread.onSpinWait();
        }
        return granted;
    }

    private Optional<LockHandle> acquireUnlessInterrupted(Peer peer) {
        try {
            return Optional.of(peer.lock(name).acquire());
        } catch (InterruptedException e) {
            return Optional.empty();
        }
    }

    private static void interrupt(Task<?> task, CountDownLatch interrupted) {
        task.thread.interrupt();
        interrupted.countDown();
    }

    private Optional<LockHandle> expectExceptionOrFlag(Task<Optional<LockHandle>> acquiring) {
        Optional<LockHandle> granted = get(acquiring);
        expect(
                granted.isPresent() == acquiring.interruptedAtEnd(),
                "either an InterruptedException, or a hold and the flag",
                "a hold: " + granted.isPresent() + ", the flag: " + acquiring.interruptedAtEnd());
        return granted;
    }

    @Test
    void v7_7_aTryKeepsTheInterruptFlag() {
        Peer a = peer();
        Peer b = peer();

        Task<Optional<LockHandle>> free = start(() -> tryInterrupted(a));
        LockHandle held = granted(get(free), "a try is not interruptible");
        Task<Optional<LockHandle>> busy = start(() -> tryInterrupted(b));

        expect(get(busy).isEmpty(), "busy", "granted");
        expect(free.interruptedAtEnd() && busy.interruptedAtEnd(), "the flag is kept", "cleared");
        held.close();
        expectFree("after the release");
    }

    private Optional<LockHandle> tryInterrupted(Peer peer) {
        Thread.currentThread().interrupt();
        return peer.lock(name).tryAcquire();
    }

    @Test
    void v7_11_anInterruptAtAnyStepLeavesNothing() {
        Peer a = peer();
        Peer b = peer();

        int step = 1;
        while (isInterruptedAt(step, a, b)) {
            step++;
        }

        expect(step > 6, "at least two attempts and a release, with a step before and after each", step - 1);
        expectFree("after interrupts at " + (step - 1) + " steps");
    }

    /** Returns whether the waiter made so many steps. */
    private boolean isInterruptedAt(int step, Peer a, Peer b) {
        LockHandle held = acquire(a);
        int before = b.faults.answeredBusy();
        AtomicInteger steps = new AtomicInteger();
        Task<Boolean> waiter = start(() -> {
            Thread self = Thread.currentThread();
            b.faults.atSteps(() -> {
                if (Thread.currentThread() == self && steps.incrementAndGet() == step) {
                    self.interrupt();
                }
            });
            Optional<LockHandle> granted = acquireUnlessInterrupted(b);
            granted.ifPresent(LockHandle::release);
            return granted.isPresent();
        });
        await("an acquire waits, or has ended", () -> b.faults.answeredBusy() > before || waiter.isDone());
        held.close();
        boolean granted = get(waiter);
        b.faults.atSteps(() -> {});
        boolean reached = steps.get() >= step;
        expect(
                granted ? waiter.interruptedAtEnd() == reached : !waiter.interruptedAtEnd(),
                "at step " + step + " either an InterruptedException, or a hold and the flag",
                "a hold: " + granted + ", the flag: " + waiter.interruptedAtEnd());
        return reached;
    }

    @Test
    void v7_12_anInterruptedVirtualThreadLeavesNothing() throws Exception {
        Duration requestTimeout = Duration.ofMillis(400).plus(store.slack());
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout));
        ThreadFactory virtual = VirtualThreads.factory();
        LockHandle other = a.lock(name + "/other").acquire();
        silence(a);
        Task<Optional<LockHandle>> unanswered = new Task<>(virtual, () -> acquireUnlessInterrupted(a));
        await("the store is asked", () -> a.faults.requests() > 1);
        unanswered.thread.interrupt();
        expect(get(unanswered).isEmpty(), "no hold without an answer", "a hold");
        restore(a);
        Peer b = peer();
        await("the lock is free once the store answers again", soon(), () -> isFreeFor(b));

        for (int i = 0; i < 20; i++) {
            int before = a.faults.requests();
            CountDownLatch interrupted = new CountDownLatch(1);
            Task<Optional<LockHandle>> acquiring = new Task<>(virtual, () -> acquireUntil(a, interrupted));
            await("the store is asked", () -> a.faults.requests() > before);
            interrupt(acquiring, interrupted);
            expectExceptionOrFlag(acquiring).ifPresent(LockHandle::release);
        }

        expectHeld(other, "although other acquires of its client were interrupted");
        other.close();
        expectFree("after many interrupts");
    }
}
