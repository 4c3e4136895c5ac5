package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Rules V2 to V4, and those of the API about acquires: no acquire waits in vain, too long, or out of turn. */
abstract class WaitingRules extends Rules {
    /** How many waiters may have to ask by themselves until the client hears the store's messages. */
    private static final int UNPROMPTED_AT_FIRST = 4;
    /** How often a client at least asks a store that wakes no waiter. */
    private static final Duration POLLED = Duration.ofMillis(100);

    private static final Duration SHORT = Duration.ofMillis(200);

    @ParameterizedTest
    @EnumSource
    void api_2_aFreeLockIsGranted(Acquire acquire) {
        Task<Optional<LockHandle>> acquiring = acquire.start(peer().lock(name), store.patience());

        LockHandle held = granted(get(acquiring), "a free lock is granted");

        expectHeld(held, "after the acquire");
        held.close();
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "TRY")
    void api_3_aWaiterGetsTheLockWhenItIsReleased(Acquire acquire) {
        Peer b = peer();
        LockHandle held = acquire(peer());
        Task<Optional<LockHandle>> waiter = queued(b, () -> acquire.start(b.lock(name), store.patience()));
        expect(!waiter.isDone(), "an acquire waits while the lock is held", waiter.result());

        held.close();

        LockHandle next = granted(get(waiter), "granted after the release");
        expectHeld(next, "after the wait");
        next.close();
        expectFree("after the release");
    }

    @Test
    void api_10_aWaitOfANanosecondEnds() {
        LockHandle held = acquire(peer());

        Task<Optional<LockHandle>> waiter = Acquire.TIMED.start(peer().lock(name), Duration.ofNanos(1));

        await("the acquire ends", waiter::isDone);
        // So short a wait may be over before the store has answered once.
        Optional<LockHandle> answer = waiter.failure() instanceof LockException ? Optional.empty() : get(waiter);
        expect(answer.isEmpty(), "no grant of a busy lock", "granted");
        expectInTime(waiter, Duration.ZERO);
        expectHeld(held, "after another client has asked");
        held.close();
        expectFree("after the release");
    }

    @Test
    void v2_1_manyHandoffsLoseNoWakeUp() {
        // Without local handoffs, so that the store wakes each waiter.
        Peer a = peer(builder -> builder.localHandoff(0, Duration.ZERO));
        Peer b = peer(builder -> builder.localHandoff(0, Duration.ZERO));
        List<Task<Integer>> workers = new ArrayList<>();
        LockHandle held = acquire(peer());
        for (Peer peer : List.of(a, a, b, b)) {
            workers.add(start(() -> useOften(peer)));
        }
        for (Peer peer : List.of(a, b)) {
            await("acquires of a busy lock wait", () -> peer.faults.answeredBusy() > 0);
        }

        held.close();

        for (Task<Integer> worker : workers) {
            get(worker, "all get the lock in time", store.patience().multipliedBy(2));
        }
        boolean polled = a.faults.isPolledWithin(POLLED) && b.faults.isPolledWithin(POLLED);
        int grants = a.faults.grantsAfterWaiting() + b.faults.grantsAfterWaiting();
        int unprompted = a.faults.grantsWithoutWakeUp() + b.faults.grantsWithoutWakeUp();
        expect(
                polled || unprompted <= UNPROMPTED_AT_FIRST + grants / 10,
                "a wake-up before almost each of " + grants + " grants to waiters, or no wake-up and a poll every "
                        + POLLED.toMillis() + " ms",
                unprompted + " waiters were granted the lock because they asked again by themselves");
        expectFree("after many handoffs");
    }

    private int useOften(Peer peer) throws InterruptedException {
        int times = 40;
        for (int i = 0; i < times; i++) {
            LockHandle mine =
                    granted(peer.lock(name).tryAcquire(store.patience()), "granted in time while others release");
            // Long enough for the others to come and wait.
            LockSupport.parkNanos(100_000);
            mine.close();
        }
        return times;
    }

    @ParameterizedTest
    @EnumSource
    void v2_2_aWaiterGetsTheLockPromptlyAfterItsRelease(LockUse use) {
        Peer b = peer();
        for (int i = 0; i < 5; i++) {
            LockHandle held = acquire(alone(peer()));
            Task<LockHandle> waiter = startQueued(b, lock(b));

            held.close();

            get(waiter, "granted after the release", soon()).close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void v2_3_aMissedWakeUpCostsBoundedTime(LockUse use) {
        Peer b = peer();
        b.faults.hearNoSignals();
        LockHandle held = acquire(alone(peer()));
        Task<LockHandle> waiter = startQueued(b, lock(b));

        held.close();
        store.letPass(expiry(b));

        get(waiter, "granted without a signal", soon()).close();
        expectFree("after the release");
    }

    @Test
    void v3_2_fairLocksAreGrantedInOrder() {
        LockOptions fair = options().fair();
        if (!can(Capability.FAIR)) {
            Peer a = peer();
            thrown(
                    IllegalArgumentException.class,
                    "for a fair lock of a store that is not",
                    () -> a.locks.lock(name, fair));
            return;
        }
        Peer holder = peer();
        Peer a = peer();
        Peer b = peer();
        Peer c = peer();
        for (int round = 0; round < 3; round++) {
            LockHandle held = get(start(holder.locks.lock(name, fair)::acquire));
            List<Task<LockHandle>> waiters = new ArrayList<>();
            for (Peer peer : List.of(a, b, a, c, b, a)) {
                waiters.add(startQueued(peer, peer.locks.lock(name, fair)));
            }

            held.close();

            for (int i = 0; i < waiters.size(); i++) {
                Task<LockHandle> next = waiters.get(i);
                await("waiter " + i + " is granted the lock next", next::isDone);
                List<Task<LockHandle>> later = waiters.subList(i + 1, waiters.size());
                expect(
                        later.stream().noneMatch(Task::isDone),
                        "waiters after " + i + " wait for their turn",
                        "granted");
                get(next).close();
            }
        }
        expectFree("after all have released");
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMED", "TIMED_ASYNC"})
    void v4_1_aTimedAcquireOfABusyLockEndsEmptyInTime(Acquire acquire) throws Exception {
        Peer b = connected(peer());
        LockHandle held = acquire(peer());

        Task<Optional<LockHandle>> waiter = acquire.start(b.lock(name), brief());

        expect(get(waiter).isEmpty(), "an empty answer: the lock is busy", "granted");
        expect(
                waiter.millis() >= brief().toMillis(),
                "a wait of " + brief().toMillis() + " ms",
                waiter.millis() + " ms");
        expectInTime(waiter, brief());
        expectHeld(held, "after another client has waited");
        held.close();
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TIMED", "TIMED_ASYNC"})
    void v4_4_anAcquireFromASilentStoreReturnsInTime(Acquire acquire) {
        Peer a = acquire == Acquire.TRY ? peer(builder -> builder.requestTimeout(SHORT)) : peer();
        silence(a);

        Task<Optional<LockHandle>> acquiring = acquire.start(a.lock(name), SHORT);

        expectFailure(acquiring);
        expectInTime(acquiring, SHORT);
    }

    @Test
    void v4_8_anAcquireFailsIfTheStoreStaysSilent() {
        Duration outage = Duration.ofMillis(500);
        Peer a = peer(builder -> builder.requestTimeout(SHORT).outageTimeout(outage));
        silence(a);

        Task<LockHandle> acquiring = start(a.lock(name)::acquire);

        expectFailure(acquiring);
        // The engine sees the outage when a request ends, at the latest.
        expectInTime(acquiring, outage.plus(SHORT));
    }

    @Test
    void v4_9_aWaiterFailsIfTheStoreFallsSilent() {
        Peer b = peer(builder -> builder.requestTimeout(brief()).outageTimeout(brief().multipliedBy(2)));
        LockHandle held = acquire(peer());
        Task<LockHandle> waiter = startQueued(b, b.lock(name));

        silence(b);
        store.letPass(expiry(b));

        await("the wait ends when the outage timeout is over", soon(), waiter::isDone);
        expectFailure(waiter);
        expectHeld(held, "after another client's connection broke");
        restore(b);
        held.close();
        expectFree("after the release");
    }

    private void expectFailure(Task<?> acquiring) {
        LockException failure = failure(acquiring, LockException.class, "while the store is silent");
        expect(failure.lockName().equals(name), "the lock's name", failure.lockName());
    }
}
