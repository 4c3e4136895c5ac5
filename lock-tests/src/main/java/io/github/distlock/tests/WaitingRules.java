package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Nobody waits in vain, too long, or out of turn. */
abstract class WaitingRules extends Rules {
    /** Until the store's messages are heard, a waiter may have to ask by itself. */
    private static final int UNPROMPTED_AT_FIRST = 4;
    /** How often at least a store is asked that wakes nobody. */
    private static final Duration POLLED = Duration.ofMillis(100);
    /** What a pass adds to a token. */
    private static final long PASSES = 255;

    private static final int MOST_PASSES = 64;

    @Test
    void v2_1_manyHandOversLoseNoWakeUp() throws Exception {
        // Without passing, so that each of them is the store's.
        Peer a = peer(builder -> builder.passing(0, Duration.ZERO));
        Peer b = peer(builder -> builder.passing(0, Duration.ZERO));
        List<Task<Integer>> workers = new ArrayList<>();
        LockHandle held = peer().lock(name).acquire();
        for (Peer peer : List.of(a, a, b, b)) {
            workers.add(start(() -> {
                for (int i = 0; i < 40; i++) {
                    LockHandle mine = granted(
                            peer.lock(name).tryAcquire(store.patience()), "granted in time while others release");
                    // Long enough for the others to come and wait.
                    LockSupport.parkNanos(100_000);
                    mine.close();
                }
                return 40;
            }));
        }
        for (Peer peer : List.of(a, b)) {
            await("acquires of a busy lock wait", () -> peer.faults.toldBusy() > 0);
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
                "a wake-up before almost each of " + grants + " grants to waiters, or none and to ask again within "
                        + POLLED.toMillis() + " ms",
                unprompted + " were granted because they asked again by themselves");
        expectFree("after many hand-overs");
    }

    @Test
    void v2_2_aWaiterGetsTheLockSoonAfterItsRelease() throws Exception {
        Peer b = peer();
        for (int i = 0; i < 5; i++) {
            LockHandle held = peer().lock(name).acquire();
            Task<LockHandle> waiter = startQueued(b, b.lock(name));
            held.close();
            get(waiter, "granted after the release", soon()).close();
        }
    }

    @Test
    void v2_3_aMissedWakeUpCostsBoundedTime() throws Exception {
        Peer b = peer();
        b.faults.hearNoSignals();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        held.close();
        store.letPass(expiry(b));
        get(waiter, "granted without being told", soon()).close();
        expectFree("after the release");
    }

    @Test
    void v3_1_localPassingDoesNotStarveAnotherClient() {
        Peer a = peer();
        Peer b = peer();
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong passes = new AtomicLong();
        List<Task<Boolean>> workers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            workers.add(start(() -> {
                while (!over.get()) {
                    a.lock(name).runLocked(held -> {
                        passes.accumulateAndGet(held.fencingToken() & PASSES, Math::max);
                        LockSupport.parkNanos(1_000);
                    });
                }
                return true;
            }));
        }
        await("a client passes the lock among its threads", () -> a.events.count("acquired") > 10);
        Task<LockHandle> other = start(b.lock(name)::acquire);
        try {
            get(other).close();
        } finally {
            over.set(true);
        }
        workers.forEach(this::get);
        expect(passes.get() <= MOST_PASSES, "at most " + MOST_PASSES + " passes of one grant", passes);
        expectFree("after all have released");
    }

    @Test
    void v3_2_fairLocksAreGrantedInOrder() throws Exception {
        if (!can(Capability.FAIR)) {
            Peer a = peer();
            thrown(
                    IllegalArgumentException.class,
                    "for a fair lock of a store that is not",
                    () -> a.locks.lock(name, options().fair()));
            return;
        }
        Peer holder = peer();
        Peer a = peer();
        Peer b = peer();
        Peer c = peer();
        LockOptions fair = options().fair();
        for (int round = 0; round < 3; round++) {
            LockHandle held = holder.locks.lock(name, fair).acquire();
            List<Integer> order = new CopyOnWriteArrayList<>();
            List<Task<LockHandle>> waiters = new ArrayList<>();
            for (Peer peer : List.of(a, b, a, c, b, a)) {
                waiters.add(startQueued(peer, peer.locks.lock(name, fair)));
            }
            held.close();
            for (int i = 0; i < waiters.size(); i++) {
                Task<LockHandle> next = waiters.get(i);
                await("waiter " + i + " is granted next, after " + order, next::isDone);
                for (int later = i + 1; later < waiters.size(); later++) {
                    expect(!waiters.get(later).isDone(), "waiter " + later + " waits for its turn", "granted");
                }
                order.add(i);
                get(next).close();
            }
        }
        expectFree("after all have released");
    }

    @Test
    void v4_4_aTimedAcquireReturnsInTimeWhenTheStoreIsSilent() {
        Peer a = peer();
        silence(a);
        expectFailure(
                () -> a.lock(name).tryAcquire(Duration.ofMillis(200)), "of a timed acquire", Duration.ofMillis(200));
    }

    @Test
    void v4_5_aTryReturnsInTimeWhenTheStoreIsSilent() {
        Peer a = peer(builder -> builder.requestTimeout(Duration.ofMillis(200)));
        silence(a);
        expectFailure(() -> a.lock(name).tryAcquire(), "of a try", Duration.ofMillis(200));
        expectFailure(() -> a.lock(name).tryAcquire(Duration.ZERO), "of a try", Duration.ofMillis(200));
    }

    @Test
    void v4_6_aTimedAsynchronousAcquireEndsInTimeWhenTheStoreIsSilent() {
        Peer a = peer();
        silence(a);
        expectFailure(
                () -> {
                    CompletableFuture<?> future = a.lock(name).tryAcquireAsync(Duration.ofMillis(200));
                    try {
                        return future.get();
                    } catch (ExecutionException e) {
                        throw e.getCause() instanceof Exception cause ? cause : e;
                    }
                },
                "of a timed asynchronous acquire",
                Duration.ofMillis(200));
    }

    @Test
    void v4_7_aTimedAcquireBehindALocalWaiterEndsEmptyInTime() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> first = startQueued(b, b.lock(name));
        Duration wait = brief();
        for (int i = 0; i < 2; i++) {
            Task<Optional<LockHandle>> blocking = start(() -> b.lock(name).tryAcquire(wait));
            Task<Optional<LockHandle>> asynchronous =
                    start(() -> b.lock(name).tryAcquireAsync(wait).get());
            for (Task<Optional<LockHandle>> timed : List.of(blocking, asynchronous)) {
                expectEmptyInTime(timed, wait);
            }
        }
        held.close();
        get(first).close();
        expectFree("after all have released");
    }

    @Test
    void v4_8_anAcquireGivesUpWhenTheStoreStaysSilent() {
        Peer a = peer(builder -> builder.requestTimeout(Duration.ofMillis(200)).outageTimeout(Duration.ofMillis(500)));
        silence(a);
        // Counted from a request's end at the latest.
        expectFailure(() -> a.lock(name).acquire(), "of an acquire", Duration.ofMillis(700));
    }

    @Test
    void v4_9_aWaiterGivesUpWhenTheStoreFallsSilent() throws Exception {
        Peer b = peer(builder -> builder.requestTimeout(brief()).outageTimeout(brief().multipliedBy(2)));
        try (LockHandle held = peer().lock(name).acquire()) {
            Task<LockHandle> waiter = startQueued(b, b.lock(name));
            silence(b);
            store.letPass(expiry(b));
            await("the wait ends when the outage time-out is over", soon(), waiter::isDone);
            LockException failure = failure(waiter, LockException.class, "when the store has fallen silent");
            expect(failure.lockName().equals(name), "the lock's name", failure.lockName());
            expectHeld(held, "after another's connection broke");
            restore(b);
        }
        expectFree("after the release");
    }

    private void expectFailure(Callable<?> acquire, String of, Duration bound) {
        Task<?> task = start(acquire::call);
        LockException failure = failure(task, LockException.class, of + " while the store is silent");
        expect(failure.lockName().equals(name), "the lock's name", failure.lockName());
        long latest = latest(bound);
        expect(task.millis() <= latest, "back within " + latest + " ms", task.millis() + " ms");
    }
}
