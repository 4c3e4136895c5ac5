package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The ends of a hold that its holder brings about. */
abstract class ReleaseRules extends Rules {

    @Test
    void s8_1_aReleasedHoldStaysReleased() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        List<LockLoss> losses = losses(held);
        Release outcome = held.release();
        expect(outcome == Release.RELEASED, "RELEASED", outcome);
        expectState(held, State.RELEASED, "after the release");
        expect(!held.isHeld() && held.remaining().isZero(), "not held, nothing remains", held.remaining());
        thrown(IllegalStateException.class, "by ensureHeld of a released hold", held::ensureHeld);
        store.letPass(lease.multipliedBy(2));
        expectState(held, State.RELEASED, "for ever");
        expect(losses.isEmpty(), "no loss of a released hold", losses);
        expectFree("after the release");
    }

    @Test
    void api_17_closingTwiceIsNothing() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        held.close();
        try (LockHandle next = peer().lock(name).acquire()) {
            held.close();
            Release outcome = held.release();
            expect(outcome == Release.RELEASED, "the outcome of the first release", outcome);
            expectHeld(next, "after the one before was closed twice");
            expectBusy(peer(), "after the hold before was closed twice");
        }
    }

    @Test
    void api_18_closingAfterAReleaseIsNothing() throws Exception {
        try (LockHandle held = peer().lock(name).acquire()) {
            Release outcome = held.release();
            expect(outcome == Release.RELEASED, "RELEASED", outcome);
        }
        expectFree("after release and close");
    }

    @Test
    void api_19_anotherThreadMayRelease() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        Release outcome = get(start(held::release));
        expect(outcome == Release.RELEASED, "RELEASED by another thread", outcome);
        expectFree("after another thread released it");
    }

    @Test
    void api_20_manyThreadsMayReleaseAtOnce() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        List<Task<Release>> releases = List.of(start(held::release), start(held::release), start(held::release));
        List<Release> outcomes = releases.stream().map(this::get).toList();
        expect(
                outcomes.contains(Release.RELEASED) && !outcomes.contains(Release.LOST),
                "RELEASED for one, and not LOST for the others",
                outcomes);
        expectFree("after its release by several threads");
    }

    @Test
    void api_21_anAsynchronousReleaseFrees() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        var releasing = held.releaseAsync();
        expectState(held, State.RELEASED, "for this client as soon as the call returns");
        Release outcome = get(releasing, "an outcome");
        expect(outcome == Release.RELEASED, "RELEASED", outcome);
        expectFree("after the release");
    }

    @Test
    void s5_1_aLateReleaseSparesTheSuccessor() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle late = a.lock(name).acquire();
        silence(a);
        store.letPass(expiry(a));
        LockHandle successor = get(start(b.lock(name)::acquire), "another client gets the lock", soon());
        restore(a);
        Release outcome = late.release();
        expect(outcome == Release.LOST, "LOST for a release that comes too late", outcome);
        expectHeld(successor, "after the late release of the one before");
        expectBusy(peer(), "after the late release of the hold before");
        store.letPass(lease.multipliedBy(2));
        expectHeld(successor, "and renewed after the late release of the one before");
        expectBusy(peer(), "and renewed after the late release of the hold before");
        successor.close();
        expectFree("after the successor's release");
    }

    @Test
    void s5_2_aReleaseOfADeletedHoldSparesTheSuccessor() throws Exception {
        Peer a = peer();
        LockHandle late = a.lock(name).acquire();
        lose(name);
        LockHandle successor = get(start(peer().lock(name)::acquire), "another client gets the lock", soon());
        Release outcome = late.release();
        expect(outcome == Release.LOST, "LOST: another has the lock", outcome);
        expectBusy(peer(), "after the release of the hold before");
        Release next = successor.release();
        expect(next == Release.RELEASED, "the successor's hold was spared", next);
    }

    @Test
    void s7_6_aReleaseWhoseReplyIsLostFreesTheLock() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        a.faults.loseNextRelease();
        Release outcome = held.release();
        expect(outcome != Release.LOST, "RELEASED or PENDING: nobody took the lock", outcome);
        expectState(held, State.RELEASED, "after the release");
        expectFree("after a release whose reply was lost");
        await("RELEASED in the end, for who asks once more", () -> held.release() == Release.RELEASED);
    }

    @Test
    void s5_5_aLateReleaseSparesTheNextHoldOfItsClient() throws Exception {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle late = a.lock(name).acquire();
        lose(name);
        LockHandle next = get(start(a.lock(name)::acquire), "the same client gets the lock", soon());
        Release outcome = late.release();
        expect(outcome == Release.LOST, "LOST: its hold was gone", outcome);
        expectBusy(peer(), "after the release of the client's hold before");
        Release released = next.release();
        expect(released == Release.RELEASED, "the client's next hold was spared", released);
        expectFree("after the release");
    }

    @Test
    void v4_3_aReleaseToASilentStoreIsPendingAndGoesOn() throws Exception {
        Peer a = peer(builder -> builder.requestTimeout(brief()));
        LockHandle held = a.lock(name).acquire();
        silence(a);
        Task<Release> releasing = start(held::release);
        Release outcome = get(releasing);
        expect(outcome == Release.PENDING, "PENDING while the store is silent", outcome);
        long latest = latest(brief());
        expect(releasing.millis() <= latest, "back within " + latest + " ms", releasing.millis() + " ms");
        expect(!held.isHeld(), "not held any more for this client", held.state());
        restore(a);
        expectFree("once the store answers again");
    }

    @Test
    void s8_2_theEndOfALostHoldIsTold() throws Exception {
        LockHandle held = lostHold();
        Release outcome = held.release();
        expect(outcome == Release.LOST, "LOST", outcome);
        held.close();
        expectState(held, State.LOST, "after a release that came too late");
    }

    @Test
    void s8_3_closingALostHoldThrowsOnce() throws Exception {
        LockHandle held = lostHold();
        LockLostException thrown = thrown(LockLostException.class, "by close of a lost hold", held::close);
        expect(thrown.loss().reason() == LossReason.GONE, "the reason GONE", thrown.loss());
        expect(thrown.lockName().equals(name), "the lock's name", thrown.lockName());
        expect(thrown.loss().fencingToken() == held.fencingToken(), "the hold's token", thrown.loss());
        held.close();
        expectState(held, State.LOST, "after it was closed");
    }

    @Test
    void s8_4_aBodyThatFailsUnderALostHoldTellsBoth() throws Exception {
        Peer a = peer();
        IllegalStateException thrown = thrown(
                IllegalStateException.class,
                "of the body",
                () -> a.lock(name).runLocked(held -> {
                    lose(held);
                    throw new IllegalStateException("the body's own");
                }));
        expect(
                thrown.getSuppressed().length == 1 && thrown.getSuppressed()[0] instanceof LockLostException,
                "a suppressed LockLostException",
                List.of(thrown.getSuppressed()));
    }

    @Test
    void s8_5_aBodyThatEndsUnderALostHoldFails() {
        Peer a = peer();
        LockLostException thrown = thrown(
                LockLostException.class, "after the body", () -> a.lock(name).runLocked(this::lose));
        expect(thrown.loss().reason() == LossReason.GONE, "the reason GONE", thrown.loss());
    }

    private LockHandle lostHold() throws InterruptedException {
        LockHandle held = peer().lock(name).acquire();
        lose(held);
        return held;
    }

    private void lose(LockHandle held) {
        lose(name);
        store.letPass(lease.dividedBy(2));
        await("lost after the store has lost it", () -> !held.isHeld());
    }

    @Test
    void api_42_aHoldOutlivesTheThreadThatAcquiredIt() throws Exception {
        Task<LockHandle> acquire = start(peer().lock(name)::acquire);
        LockHandle held = get(acquire);
        await("the thread ends", () -> !acquire.thread.isAlive());
        store.letPass(lease);
        expectState(held, LockHandle.State.HELD, "although its thread has ended");
        expectBusy(peer(), "although its holder's thread has ended");
        LockHandle.Release outcome = get(start(held::release));
        expect(outcome == LockHandle.Release.RELEASED, "RELEASED", outcome);
        expectFree("after the release");
    }
}
