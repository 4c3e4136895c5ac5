package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.tests.FaultyBackend.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules S5, and those of other promises about releases: a release ends the caller's own hold, and nothing else. */
abstract class ReleaseRules extends Rules {

    @ParameterizedTest
    @EnumSource
    void s5_1_aLateReleaseDoesNotAffectTheSuccessor(LockUse use) {
        Peer a = peer();
        LockHandle late = acquire(a);
        silence(a);
        store.letPass(expiry(a));
        LockHandle successor = acquireSoon(peer());
        restore(a);

        expectRelease(late, Release.LOST, "for a release that comes too late");

        expectHeld(successor, "after the late release of the hold before");
        expectBusy(peer(), "after the late release of the hold before");
        store.letPass(lease.multipliedBy(2));
        expectHeld(successor, "and renewed after the late release of the hold before");
        expectBusy(peer(), "and renewed after the late release of the hold before");
        successor.close();
        expectFree("after the successor's release");
    }

    @ParameterizedTest
    @EnumSource
    void s5_2_aReleaseOfADeletedHoldDoesNotAffectTheSuccessor(LockUse use) {
        LockHandle late = acquire(peer());
        lose(name);
        LockHandle successor = acquireSoon(peer());

        expectRelease(late, Release.LOST, "as another client has the lock");

        expectBusy(peer(), "after the release of the hold before");
        expectRelease(successor, Release.RELEASED, "for the successor, whose hold was spared");
    }

    @Test
    void s5_5_aLateReleaseDoesNotAffectTheNextHoldOfItsClient() {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle late = acquire(a);
        lose(name);
        LockHandle next = acquireSoon(a);

        expectRelease(late, Release.LOST, "as its hold was deleted");

        expectBusy(peer(), "after the release of the client's hold before");
        expectRelease(next, Release.RELEASED, "for the client's next hold, which was spared");
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource
    void s7_6_aReleaseWhoseReplyIsLostFreesTheLock(LockUse use) {
        Peer a = peer();
        LockHandle held = acquire(a);
        a.faults.dropReplies(1, Request.RELEASE);

        Release outcome = held.release();

        expect(outcome != Release.LOST, "RELEASED or PENDING, as no other client took the lock", outcome);
        expectState(held, State.RELEASED, "after the release");
        expectFree("after a release whose reply was lost");
        await("RELEASED in the end for a caller that asks again", () -> held.release() == Release.RELEASED);
    }

    @Test
    void v4_3_aReleaseToASilentStoreIsPendingAndCompletesLater() {
        Peer a = peer(builder -> builder.requestTimeout(brief()));
        LockHandle held = acquire(a);
        silence(a);

        Task<Release> releasing = start(held::release);

        Release outcome = get(releasing);
        expect(outcome == Release.PENDING, "PENDING while the store is silent", outcome);
        expectInTime(releasing, brief());
        expect(!held.isHeld(), "not held any more for this client", held.state());
        restore(a);
        expectFree("once the store answers again");
    }

    @Test
    void api_19_anotherThreadMayReleaseAHold() {
        LockHandle held = acquire(peer());

        Release outcome = get(start(held::release));

        expect(outcome == Release.RELEASED, "RELEASED by another thread", outcome);
        expectFree("after another thread released it");
    }

    @Test
    void api_42_aHoldOutlivesTheThreadThatAcquiredIt() {
        Task<LockHandle> acquiring = start(peer().lock(name)::acquire);
        LockHandle held = get(acquiring);

        await("the thread ends", () -> !acquiring.thread.isAlive());
        store.letPass(lease);

        expectState(held, State.HELD, "although its thread has ended");
        expectBusy(peer(), "although its holder's thread has ended");
        expectRelease(held, Release.RELEASED, "although its thread has ended");
        expectFree("after the release");
    }
}
