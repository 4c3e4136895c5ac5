package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Rules S10 and V10 about permits. */
@Uses(LockUse.PERMIT)
abstract class PermitRules extends Rules {
    private static final int LIMIT = 3;

    private DistributedLock permits(Peer peer, int count) {
        return permits(peer, count, LIMIT);
    }

    private DistributedLock permits(Peer peer, int count, int limit) {
        return peer.locks.semaphore(name, limit).permits(count);
    }

    private Task<LockHandle> waiter(int count) {
        Peer peer = peer();
        return startQueued(peer, permits(peer, count));
    }

    private LockHandle granted(Task<LockHandle> waiter, String expected) {
        return get(waiter, expected, soon());
    }

    /** Expects that no permit is in use, and then a clean store. */
    private void expectAllFree(String when) {
        acquireSoon(permits(peer(), LIMIT)).close();
        expectClean(when);
    }

    @Test
    void s10_1_permitsInUseNeverExceedTheLimit() {
        int times = 15;
        AtomicInteger inUse = new AtomicInteger();
        AtomicInteger exceeded = new AtomicInteger();
        CountDownLatch together = new CountDownLatch(6);
        List<Task<Integer>> workers = new ArrayList<>();

        for (Peer peer : List.of(peer(), peer(), peer())) {
            for (int count : List.of(1, 2)) {
                DistributedLock lock = permits(peer, count);
                workers.add(start(() -> {
                    together.countDown();
                    together.await();
                    for (int i = 0; i < times; i++) {
                        lock.runLocked(held -> {
                            boolean tooMany = inUse.addAndGet(count) > LIMIT;
                            LockSupport.parkNanos(1_000_000);
                            exceeded.addAndGet(tooMany && held.isHeld() ? 1 : 0);
                            inUse.addAndGet(-count);
                        });
                    }
                    return times;
                }));
            }
        }

        workers.forEach(this::get);
        expect(exceeded.get() == 0, "at most " + LIMIT + " permits in use", exceeded.get() + " times more");
        expectAllFree("after the releases");
    }

    @Test
    void s10_2_permitsAreGrantedAndReleasedByTheirCount() {
        Peer a = peer();
        Peer b = peer();
        LockHandle one = acquire(permits(a, 1));
        LockHandle two = acquire(permits(a, 2));
        expectBusy(permits(b, 1), "while all permits are in use");

        one.close();

        expectBusy(permits(b, 2), "while two of three permits are in use");
        LockHandle other = acquireSoon(permits(b, 1));
        expectHeld(two, "beside a permit of another client");
        two.close();
        expectBusy(permits(a, 3), "while one permit is in use");
        acquireSoon(permits(a, 2)).close();
        other.close();
        expectAllFree("after the releases");
    }

    @Test
    void s10_3_theLimitOfTheClientThatAsksDecides() {
        Peer a = peer();
        LockHandle held = acquire(permits(a, 2, 2));
        Peer b = peer();

        expectBusy(permits(b, 1, 1), "for a limit of one, while two permits are in use");
        expectBusy(permits(b, 2, 3), "for a limit of three, while two permits are in use");
        LockHandle more = acquireSoon(permits(b, 2, 4));

        expectBusy(permits(a, 1, 2), "for a limit of two, while four permits are in use");
        expectHeld(held, "after another client has asked with a greater limit");
        more.close();
        expectBusy(permits(a, 1, 2), "for a limit of two, while two permits are in use");
        held.close();
        acquireSoon(permits(a, 2, 2)).close();
        expectAllFree("after the releases");
    }

    @Test
    void s10_4_aDeadHoldersPermitsAreFreeAfterItsOwnExpiry() {
        Peer a = peer();
        LockHandle dead = acquire(permits(a, 2));
        LockHandle alive = acquire(permits(peer(), 1));
        Task<LockHandle> waiter = waiter(2);

        silence(a);
        store.letPass(expiry(a));

        expectState(dead, State.LOST, "after the expiry");
        LockHandle next = granted(waiter, "the permits of the dead holder are granted to a waiter");
        expectHeld(alive, "although another holder is dead");
        expectBusy(permits(peer(), 1), "while all permits are in use again");
        expectRelease(alive, Release.RELEASED, "although another holder is dead");
        next.close();
        expectAllFree("after the releases");
    }

    @Test
    void v10_7_releasedPermitsServeAllWaitersThatFit() {
        LockHandle held = acquire(permits(peer(), 3));
        List<Task<LockHandle>> waiters = List.of(waiter(1), waiter(2));
        Task<LockHandle> last = waiter(1);

        held.close();

        await(
                "both waiters that fit are granted their permits",
                soon(),
                () -> waiters.stream().allMatch(Task::isDone));
        expectWaits(last, "for a permit while all are in use");
        waiters.forEach(waiter -> get(waiter).close());
        granted(last, "the last waiter is granted a permit").close();
        expectAllFree("after the releases");
    }

    @Test
    void v10_8_aLargeRequestKeepsItsPlace() {
        LockHandle held = acquire(permits(peer(), 1));
        Task<LockHandle> large = waiter(3);
        Task<LockHandle> small = waiter(1);

        expectBusy(permits(peer(), 1), "while a large request waits");
        expectWaits(small, "behind a large request");
        expectWaits(large, "while a permit is in use");
        held.close();

        LockHandle all = granted(large, "the large request is granted its permits first");
        expectWaits(small, "while all permits are in use");
        all.close();
        granted(small, "the small request is granted its permit after that").close();
        expectAllFree("after the releases");
    }

    @Test
    void v10_9_theWaitersBehindALargeRequestThatWithdrawsAreGranted() {
        LockHandle held = acquire(permits(peer(), 1));
        Peer b = peer();
        CompletableFuture<LockHandle> large = queued(b, () -> permits(b, 3).acquireAsync());
        List<Task<LockHandle>> small = List.of(waiter(1), waiter(1));

        large.cancel(true);

        await(
                "the waiters that fit are granted their permits",
                soon(),
                () -> small.stream().allMatch(Task::isDone));
        expectHeld(held, "beside the permits of those that waited");
        small.forEach(waiter -> get(waiter).close());
        held.close();
        expectAllFree("after the releases");
    }

    @Test
    void v10_10_aSilentLargeRequestDelaysOthersForABoundedTime() {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = acquire(permits(peer(), 1));
        Task<LockHandle> large = startQueued(b, permits(b, 3));
        Task<LockHandle> small = waiter(1);

        silence(b);
        // Its last request may still have been on its way.
        store.letPass(expiry(b).plus(store.slack()));

        granted(small, "the next waiter is granted a permit although the one before fell silent")
                .close();
        expectHeld(held, "beside the permit of the one that waited");
        held.close();
        restore(b);
        get(large, "the large request is granted its permits once the store answers it again", store.patience())
                .close();
        expectAllFree("after the releases");
    }
}
