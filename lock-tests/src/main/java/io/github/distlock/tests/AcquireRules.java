package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockedAction;
import io.github.distlock.LockedCall;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The ways to ask for a lock. */
abstract class AcquireRules extends Rules {
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    void api_1_aHoldKnowsItsLock() throws Exception {
        DistributedLock lock = peer().locks.lock(name, options());
        expect(lock.name().equals(name), name, lock.name());
        expect(lock.options().equals(options()), options().toString(), lock.options());
        try (LockHandle held = lock.acquire()) {
            expect(held.lockName().equals(name), name, held.lockName());
            expectState(held, LockHandle.State.HELD, "after the acquire");
            held.ensureHeld();
            Duration remaining = held.remaining();
            expect(
                    remaining.compareTo(Duration.ZERO) > 0 && remaining.compareTo(lease) < 0,
                    "some time is left, less than the lease of " + lease,
                    remaining);
        }
    }

    @Test
    void api_2_aSingleTryOfAFreeLockGetsIt() {
        LockHandle held = granted(peer().lock(name).tryAcquire(), "a free lock is granted");
        expectHeld(held, "after the try");
        held.close();
        expectFree("after the release");
    }

    @Test
    void api_3_aTimedAcquireGetsTheLockWhenItIsReleased() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<Optional<LockHandle>> waiter = start(() -> b.lock(name).tryAcquire(store.patience()));
        await("a timed acquire waits", () -> b.faults.toldBusy() > 0);
        expect(!waiter.isDone(), "a timed acquire waits while the lock is held", waiter.result());
        held.close();
        LockHandle next = granted(get(waiter), "granted after the release");
        expectHeld(next, "after the wait");
        next.close();
        expectFree("after the release");
    }

    @Test
    void v4_1_aTimedAcquireOfABusyLockEndsEmptyInTime() throws Exception {
        Peer b = connected(peer());
        try (LockHandle held = peer().lock(name).acquire()) {
            Task<Optional<LockHandle>> waiter = start(() -> b.lock(name).tryAcquire(brief()));
            expectEmptyInTime(waiter, brief());
            expectHeld(held, "after another has waited");
        }
        expectFree("after the release");
    }

    @Test
    void api_4_aBlockingAcquireGetsTheLockWhenItIsReleased() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> waiter = startWaiter(b, b.lock(name));
        expect(!waiter.isDone(), "an acquire waits while the lock is held", waiter.result());
        held.close();
        get(waiter).close();
        expectFree("after the release");
    }

    @Test
    void api_5_anAsynchronousAcquireGetsAFreeLock() throws Exception {
        LockHandle held = get(peer().lock(name).acquireAsync(), "a free lock is granted");
        expectHeld(held, "after the acquire");
        held.close();
        expectFree("after the release");
    }

    @Test
    void api_6_anAsynchronousAcquireGetsTheLockWhenItIsReleased() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        CompletableFuture<LockHandle> waiter = b.lock(name).acquireAsync();
        await("an asynchronous acquire waits", () -> b.faults.toldBusy() > 0);
        expect(!waiter.isDone(), "an acquire waits while the lock is held", waiter);
        held.close();
        get(waiter, "granted after the release").close();
        expectFree("after the release");
    }

    @Test
    void v4_2_aTimedAsynchronousAcquireOfABusyLockEndsEmptyInTime() throws Exception {
        Peer b = connected(peer());
        try (LockHandle held = peer().lock(name).acquire()) {
            Task<Optional<LockHandle>> waiter =
                    start(() -> b.lock(name).tryAcquireAsync(brief()).get());
            expectEmptyInTime(waiter, brief());
            expectHeld(held, "after another has waited");
        }
        expectFree("after the release");
    }

    @Test
    void api_7_aTimedAsynchronousAcquireGetsAFreeLock() throws Exception {
        Optional<LockHandle> answer = get(peer().lock(name).tryAcquireAsync(soon()), "an answer");
        granted(answer, "a free lock is granted").close();
    }

    @Test
    void api_8_aWaitOfZeroIsOneTry() throws Exception {
        expectOneTry(Duration.ZERO);
    }

    @Test
    void api_9_aNegativeWaitIsOneTry() throws Exception {
        expectOneTry(Duration.ofSeconds(-1));
        expectOneTry(Duration.ofSeconds(Long.MIN_VALUE));
    }

    @Test
    void api_10_aWaitOfANanosecondEnds() throws Exception {
        Peer a = peer();
        Peer b = peer();
        try (LockHandle held = a.lock(name).acquire()) {
            // So short a wait may be over before the store has answered once.
            Task<Boolean> waiter = start(() -> {
                try {
                    return b.lock(name).tryAcquire(Duration.ofNanos(1)).isEmpty();
                } catch (LockException e) {
                    return true;
                }
            });
            expect(get(waiter), "no grant of a busy lock", "granted");
            long latest = latest(Duration.ZERO);
            expect(waiter.millis() <= latest, "back within " + latest + " ms", waiter.millis() + " ms");
            expectHeld(held, "after another has asked");
        }
        expectFree("after the release");
    }

    private void expectOneTry(Duration wait) throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = granted(a.lock(name).tryAcquire(wait), "a free lock is granted with a wait of " + wait);
        int before = b.faults.requests();
        expect(b.lock(name).tryAcquire(wait).isEmpty(), "busy, with a wait of " + wait, "granted");
        expect(
                get(b.lock(name).tryAcquireAsync(wait), "an answer").isEmpty(),
                "busy, with a wait of " + wait,
                "granted");
        int sent = b.faults.requests() - before;
        expect(sent == 2, "one request for each of two tries, with a wait of " + wait, sent + " requests");
        held.close();
        get(a.lock(name).tryAcquireAsync(wait), "an answer").orElseThrow().close();
        expectFree("after the release");
    }

    @Test
    void api_11_aWaitMayBeAsLongAsItLikes() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = granted(a.lock(name).tryAcquire(FOR_EVER), "a free lock is granted");
        Task<Optional<LockHandle>> waiter = start(() -> b.lock(name).tryAcquire(FOR_EVER));
        CompletableFuture<Optional<LockHandle>> future = b.lock(name).tryAcquireAsync(FOR_EVER);
        await("both wait", () -> b.events.count("waiting") == 2);
        expect(!waiter.isDone() && !future.isDone(), "both wait while the lock is held", waiter.failure());
        CompletableFuture<Void> passedOn =
                future.thenAccept(answer -> answer.orElseThrow().close());
        held.close();
        granted(get(waiter), "granted after the release").close();
        get(passedOn.thenApply(done -> true), "granted after the release");
        expectFree("after the release");
    }

    @Test
    void api_12_lambdasRunUnderTheLockAndFreeIt() throws Exception {
        DistributedLock lock = peer().lock(name);
        Peer b = peer();
        lock.runLocked(held -> expectBusy(b, "while an action runs"));
        expectFree("after the action");
        int value = lock.callLocked(held -> {
            expectBusy(b, "while a value is computed");
            return 42;
        });
        expect(value == 42, "the action's value", value);
        boolean ran = lock.tryRunLocked(Duration.ZERO, held -> expectBusy(b, "while an action runs"));
        expect(ran, "the action has run", "not run");
        Optional<Integer> computed = lock.tryCallLocked(Duration.ZERO, held -> 42);
        expect(computed.equals(Optional.of(42)), "the action's value", computed);
        expectFree("after the actions");
    }

    @Test
    void api_13_lambdasDoNotRunWithoutTheLock() throws Exception {
        DistributedLock other = peer().lock(name);
        try (LockHandle held = peer().lock(name).acquire()) {
            boolean ran = other.tryRunLocked(Duration.ZERO, none -> {
                throw broken("not run while the lock is busy", "run", null);
            });
            expect(!ran, "told that it has not run", ran);
            Optional<Integer> computed = other.tryCallLocked(brief(), none -> 42);
            expect(computed.isEmpty(), "no value while the lock is busy", computed);
            expectHeld(held, "after another has asked");
        }
        expectFree("after the release, although lambdas have waited for it");
    }

    @Test
    void api_14_lambdasPassExceptionsThroughAndFreeTheLock() {
        DistributedLock lock = peer().lock(name);
        IOException failure = new IOException("broken");
        LockedAction<IOException> action = held -> {
            throw failure;
        };
        LockedCall<Integer, IOException> call = held -> {
            throw failure;
        };
        expectPassedThrough(failure, () -> lock.runLocked(action));
        expectPassedThrough(failure, () -> lock.callLocked(call));
        expectPassedThrough(failure, () -> lock.tryRunLocked(Duration.ZERO, action));
        expectPassedThrough(failure, () -> lock.tryCallLocked(Duration.ZERO, call));
    }

    private void expectPassedThrough(IOException failure, Executable locked) {
        IOException thrown = thrown(IOException.class, "of the lambda, passed through", locked);
        expect(thrown == failure, "the very exception", thrown);
        expectFree("after the lambda failed");
    }
}
