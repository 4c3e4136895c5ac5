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

/** Interruption acts soon, leaves nothing, and is never forgotten. */
abstract class InterruptRules extends Rules {

    @Test
    void v7_1_anInterruptBeforeTheAcquireEndsIt() {
        Peer a = peer();
        Task<LockHandle> acquire = start(() -> {
            Thread.currentThread().interrupt();
            return a.lock(name).acquire();
        });
        failure(acquire, InterruptedException.class, "of a thread that was interrupted before");
        expectSoon(acquire);
        Task<Optional<LockHandle>> timed = start(() -> {
            Thread.currentThread().interrupt();
            return a.lock(name).tryAcquire(Duration.ofSeconds(1));
        });
        failure(timed, InterruptedException.class, "of a thread that was interrupted before");
        expectSoon(timed);
        expectFree("after the interrupt");
    }

    private void expectSoon(Task<?> interrupted) {
        expect(!interrupted.interruptedAtEnd(), "the flag is cleared with the exception", "set");
        long latest = latest(Duration.ZERO);
        expect(interrupted.millis() <= latest, "ended within " + latest + " ms", interrupted.millis() + " ms");
    }

    @Test
    void v7_2_anInterruptEndsAWaitSoon() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        expectInterruptedWithin(waiter, Duration.ZERO);
        expectHeld(held, "after a waiter was interrupted");
        if (can(Capability.INSPECT)) {
            await(
                    "no place of the interrupted waiter",
                    soon(),
                    () -> b.locks.inspector().inspect(name).waiters().isEmpty());
        }
        held.close();
        expectFree("after the release, although a waiter was interrupted");
    }

    @Test
    void v7_3_anInterruptEndsALocalWaitSoon() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        Task<LockHandle> waiter = startWaiter(a, a.lock(name));
        expectInterruptedWithin(waiter, Duration.ZERO);
        expectHeld(held, "after a waiter was interrupted");
        held.close();
        expectFree("after the release, although a waiter was interrupted");
    }

    @Test
    void v7_4_anInterruptEndsATimedWaitSoon() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<Optional<LockHandle>> waiter = start(() -> b.lock(name).tryAcquire(Duration.ofHours(1)));
        await("a timed acquire waits", () -> b.faults.toldBusy() > 0);
        expectInterruptedWithin(waiter, Duration.ZERO);
        held.close();
        expectFree("after the release, although a waiter was interrupted");
    }

    @Test
    void v7_5_anInterruptEndsAnUnansweredAcquireSoon() {
        Duration requestTimeout = Duration.ofMillis(400);
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout));
        silence(a);
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);
        expectInterruptedWithin(acquire, requestTimeout);
        restore(a);
        expectFree("once the store answers again");
    }

    private void expectInterruptedWithin(Task<?> task, Duration bound) {
        long begin = System.nanoTime();
        task.thread.interrupt();
        failure(task, InterruptedException.class, "of an interrupted wait");
        long millis = (System.nanoTime() - begin) / 1_000_000;
        long latest = latest(bound);
        expect(millis <= latest, "ended within " + latest + " ms", millis + " ms");
        expect(!task.interruptedAtEnd(), "the flag is cleared with the exception", "set");
    }

    @Test
    void v7_6_anInterruptThatRacesTheGrantIsNotForgotten() throws Exception {
        Peer a = peer();
        Peer b = peer();
        for (int i = 0; i < 30; i++) {
            LockHandle held = a.lock(name).acquire();
            int before = b.faults.toldBusy();
            CountDownLatch interrupted = new CountDownLatch(1);
            Task<Optional<LockHandle>> waiter = startAcquire(b, interrupted);
            await("an acquire waits", () -> b.faults.toldBusy() > before);
            Task<LockHandle.Release> releasing = start(held::release);
            waiter.thread.interrupt();
            interrupted.countDown();
            expectExceptionOrFlag(waiter).ifPresent(LockHandle::release);
            get(releasing);
        }
        expectFree("after many interrupts");
    }

    /** Its thread does not end before it was interrupted. */
    private Task<Optional<LockHandle>> startAcquire(Peer peer, CountDownLatch interrupted) {
        return start(() -> acquireUntil(peer, interrupted));
    }

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
        Task<Optional<LockHandle>> acquire = startAcquire(peer, interrupted);
        await("the store is asked", asked);
        acquire.thread.interrupt();
        interrupted.countDown();
        expectExceptionOrFlag(acquire).ifPresent(LockHandle::release);
    }

    private Optional<LockHandle> expectExceptionOrFlag(Task<Optional<LockHandle>> acquire) {
        Optional<LockHandle> granted = get(acquire);
        expect(
                granted.isPresent() == acquire.interruptedAtEnd(),
                "either an InterruptedException, or a hold and the flag",
                "a hold: " + granted.isPresent() + ", the flag: " + acquire.interruptedAtEnd());
        return granted;
    }

    @Test
    void v7_7_aTryKeepsTheFlag() throws Exception {
        Peer a = peer();
        Peer b = peer();
        Task<Optional<LockHandle>> free = start(() -> {
            Thread.currentThread().interrupt();
            return a.lock(name).tryAcquire();
        });
        LockHandle held = granted(get(free), "a try is not interruptible");
        expect(free.interruptedAtEnd(), "the flag is kept", "cleared");
        Task<Optional<LockHandle>> busy = start(() -> {
            Thread.currentThread().interrupt();
            return b.lock(name).tryAcquire();
        });
        expect(get(busy).isEmpty(), "busy", "granted");
        expect(busy.interruptedAtEnd(), "the flag is kept", "cleared");
        held.close();
        expectFree("after the release");
    }

    @Test
    void v7_8_aReleaseKeepsTheFlag() throws Exception {
        Peer a = peer();
        LockHandle released = a.lock(name).acquire();
        Task<LockHandle.Release> release = start(() -> {
            Thread.currentThread().interrupt();
            return released.release();
        });
        expect(get(release) == LockHandle.Release.RELEASED, "RELEASED, not interruptible", release.result());
        expect(release.interruptedAtEnd(), "the flag is kept", "cleared");
        expectFree("after its release by an interrupted thread");
    }

    @Test
    void v7_9_closingAClientKeepsTheFlag() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        Task<Boolean> closing = start(() -> {
            Thread.currentThread().interrupt();
            a.locks.close();
            return true;
        });
        get(closing);
        expect(closing.interruptedAtEnd(), "the flag is kept", "cleared");
        expect(!held.isHeld(), "not held after its client was closed", held.state());
        expectFree("after its client was closed by an interrupted thread");
    }

    @Test
    void v7_11_anInterruptAtAnyStepLeavesNothing() throws Exception {
        Peer a = peer();
        Peer b = peer();
        int step = 1;
        while (isInterruptedAt(step, a, b)) {
            step++;
        }
        expect(step > 6, "at least two attempts and a release, with a step before and after each", step - 1);
        expectFree("after interrupts at " + (step - 1) + " steps");
    }

    /** Whether the waiter made so many steps. */
    private boolean isInterruptedAt(int step, Peer a, Peer b) throws InterruptedException {
        LockHandle held = a.lock(name).acquire();
        int before = b.faults.toldBusy();
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
        await("an acquire waits, or has ended", () -> b.faults.toldBusy() > before || waiter.isDone());
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
        await("the lock is free once the store answers again", soon(), () -> isFreeFor(b, name));
        for (int i = 0; i < 20; i++) {
            int before = a.faults.requests();
            CountDownLatch interrupted = new CountDownLatch(1);
            Task<Optional<LockHandle>> acquire = new Task<>(virtual, () -> acquireUntil(a, interrupted));
            await("the store is asked", () -> a.faults.requests() > before);
            acquire.thread.interrupt();
            interrupted.countDown();
            expectExceptionOrFlag(acquire).ifPresent(LockHandle::release);
        }
        expectHeld(other, "although others of its client were interrupted");
        other.close();
        expectFree("after many interrupts");
    }
}
