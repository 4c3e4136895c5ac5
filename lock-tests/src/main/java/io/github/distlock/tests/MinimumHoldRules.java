package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Rules S13: a released lock is granted to nobody before its minimum hold is over, and promptly afterwards. */
abstract class MinimumHoldRules extends Rules {

    @Test
    void s13_1_aReleasedLockStaysBusyForItsMinimumHold() throws InterruptedException {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = acquireKept(a);

        expectRelease(held, Release.RELEASED, "although the store keeps the lock");

        expectState(held, State.RELEASED, "at once");
        expectBusy(b, "after the release");
        expectBusy(a, "after the release, also its own");
        Optional<LockHandle> waited = b.lock(name).tryAcquire(brief());
        expect(waited.isEmpty(), "busy for a client that waits", "granted");
        Duration left = lease.multipliedBy(3).dividedBy(4);
        store.letPass(minimum().minus(left));
        expectBusy(b, "until the minimum hold is over, although the lease is");
        store.letPass(left);
        expectSuccessor(held);
    }

    /** Expects that another client is promptly granted the lock, and then leaves a clean store. */
    private void expectSuccessor(LockHandle former) {
        LockHandle next = acquireSoon(peer());
        expect(next.fencingToken() > former.fencingToken(), "a greater token", next.fencingToken());
        next.close();
        expectFree("after the successor's release");
    }

    @Test
    void s13_2_aWaiterIsGrantedAKeptLockWhenItsTimeIsOver() {
        Peer b = peer();
        LockHandle held = acquireKept(peer());
        Task<LockHandle> waiter = startQueued(b, b.lock(name));

        held.close();

        expectBusy(peer(), "after the release to a lock with a waiter");
        store.letPass(minimum().minus(lease));
        expectNoGrant(b, waiter);
        store.letPass(lease);
        get(waiter, "the waiter is granted the lock", soon()).close();
        expectFree("after the waiter's release");
    }

    /** The clock that a test moves waits for answers of the store, but not for threads that have waited for them. */
    private void expectNoGrant(Peer waiting, Task<LockHandle> waiter) {
        expect(
                waiting.faults.grantsAfterWaiting() == 0 && !waiter.isDone(),
                "no grant before the minimum hold is over",
                waiter.result());
    }

    @Test
    void s13_3_aWaiterOfTheSameClientWaitsForTheMinimumHold() {
        Peer a = peer();
        LockHandle held = acquireKept(a);
        Task<LockHandle> waiter = startQueued(a, keptLock(a));

        held.close();

        store.letPass(minimum().minus(lease));
        expectNoGrant(a, waiter);
        expectBusy(peer(), "until then");
        store.letPass(lease);
        LockHandle next = get(waiter, "the waiter is granted the lock", soon());
        next.close();
        store.letPass(minimum());
        expectSuccessor(next);
    }

    @Test
    void s13_4_aKeptLockOutlivesItsClient() {
        Peer a = peer();
        LockHandle held = acquireKept(a);
        held.close();

        a.locks.close();

        store.letPass(minimum().minus(lease));
        expectBusy(peer(), "although the client that has released it is closed");
        store.letPass(lease);
        expectSuccessor(held);
    }

    @Test
    void s13_5_aReleaseWhoseReplyIsLostKeepsTheLockOnce() {
        Peer a = peer();
        LockHandle held = acquireKept(a);
        a.faults.dropReplies(1, Request.RELEASE);

        Release outcome = held.release();

        expect(outcome != Release.LOST, "RELEASED or PENDING, as no other client took the lock", outcome);
        await("RELEASED in the end for a caller that asks again", () -> held.release() == Release.RELEASED);
        expectBusy(peer(), "after a release whose reply was lost");
        store.letPass(minimum());
        expectSuccessor(held);
    }

    @Test
    void s13_6_aReleaseOfADeletedHoldKeepsNothing() {
        LockHandle late = acquireKept(peer());
        lose(name);
        LockHandle successor = acquireSoon(peer());

        expectRelease(late, Release.LOST, "as another client has the lock");

        expectBusy(peer(), "after the release of the hold before");
        expectRelease(successor, Release.RELEASED, "for the successor, whose hold was spared");
        expectFree("after the release of a hold without a minimum");
    }

    @Test
    void s13_7_theMinimumHoldCountsFromTheGrant() {
        LockHandle held = acquireKept(peer());
        store.letPass(lease);

        held.close();

        expectBusy(peer(), "after a release in the middle of its minimum hold");
        store.letPass(minimum().minus(lease));
        expectSuccessor(held);
    }
}
