package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Grants whose replies are lost or late, and attempts that are given up. */
abstract class AmbiguityRules extends Rules {

    @Test
    void s7_7_aGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
        Peer a = peer();
        a.faults.loseNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        expectSameGrant(a, get(acquire, "asked again and granted, long before the lease ends", soon()));
    }

    @Test
    void s7_8_anAsynchronousGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
        Peer a = peer();
        a.faults.loseNextGrant();
        CompletableFuture<LockHandle> acquire = a.lock(name).acquireAsync();
        await("asked again and granted, long before the lease ends", soon(), acquire::isDone);
        expectSameGrant(a, get(acquire, "granted"));
    }

    @Test
    void s7_9_aWaitersGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
        Peer a = peer();
        LockHandle held = peer().lock(name).acquire();
        a.faults.loseNextGrant();
        Task<LockHandle> waiter = startQueued(a, a.lock(name));
        held.close();
        expectSameGrant(a, get(waiter, "asked again and granted, long before the lease ends", soon()));
    }

    private void expectSameGrant(Peer a, LockHandle held) {
        expect(a.faults.lostBase() > 0, "a reply gets lost", "none");
        expect(
                held.fencingToken() >> 8 == a.faults.lostBase(),
                "the grant whose reply was lost, with fencing base " + a.faults.lostBase(),
                "base " + (held.fencingToken() >> 8));
        expectHeld(held, "after the reply was lost");
        expectBusy(peer(), "after the reply was lost");
        store.letPass(lease.multipliedBy(2));
        expectHeld(held, "and renewed after the reply was lost");
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.RELEASED, "RELEASED", outcome);
        expectFree("after the release");
    }

    @Test
    void s7_10_aTryWhoseGrantIsLostLeavesNothing() {
        Peer a = peer();
        a.faults.loseNextGrant();
        tryAndRelease(a);
        expectFree("after a try whose reply was lost");
    }

    private void tryAndRelease(Peer peer) {
        try {
            peer.lock(name).tryAcquire().ifPresent(LockHandle::release);
        } catch (LockException e) {
            // One of the two outcomes that are allowed.
        }
    }

    @Test
    void s7_11_anAcquireThatIsGivenUpLeavesNoPlace() throws Exception {
        Peer b = connected(peer());
        LockHandle held = peer().lock(name).acquire();
        Optional<LockHandle> answer = b.lock(name).tryAcquire(brief());
        expect(answer.isEmpty(), "busy", answer);
        await("its place is withdrawn", () -> b.faults.withdrawals() > 0);
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.RELEASED, "RELEASED: who gave up took nothing with it", outcome);
        expectFree("after its release, although another gave up");
    }

    @Test
    void s7_12_aPlaceThatIsGivenUpDelaysNoWaiter() throws Exception {
        Peer b = peer();
        Peer c = peer();
        LockHandle held = peer().lock(name).acquire();
        CompletableFuture<LockHandle> givesUp = b.lock(name).acquireAsync();
        await("an acquire waits", () -> b.faults.toldBusy() > 0);
        Task<LockHandle> waiter = startQueued(c, c.lock(name));
        givesUp.cancel(true);
        held.close();
        get(waiter, "the next waiter gets the lock although the one before gave up", soon())
                .close();
        expectFree("after the release");
    }

    @Test
    void s7_13_anAcquireFromASilentStoreLeavesNothing() throws Exception {
        Peer a = peer();
        silence(a);
        thrown(LockException.class, "from a store that does not answer", () -> {
            Optional<LockHandle> none = a.lock(name).tryAcquire(Duration.ofMillis(100));
            expect(none.isEmpty(), "no hold", none);
        });
        restore(a);
        await("the attempt is withdrawn", () -> a.faults.withdrawals() > 0);
        expectFree("once the store answers again");
    }

    @Test
    void s7_14_aHandOverToWhoGivesUpIsPassedOn() throws Exception {
        Peer a = peer();
        Peer b = peer();
        b.faults.hearNoSignals();
        Peer c = peer();
        for (int i = 0; i < 3; i++) {
            expectHandOverIsPassedOn(a, b, c);
        }
    }

    private void expectHandOverIsPassedOn(Peer a, Peer b, Peer c) throws Exception {
        LockHandle held = a.lock(name).acquire();
        int before = b.faults.toldBusy();
        CompletableFuture<LockHandle> givesUp = b.lock(name).acquireAsync();
        await("an acquire waits", () -> b.faults.toldBusy() > before);
        Task<LockHandle> waiter = startQueued(c, c.lock(name));
        held.close();
        if (!givesUp.cancel(true)) {
            get(givesUp, "a hold, since the future refused to be cancelled").close();
        }
        get(waiter, "the next waiter gets what was handed to one that gave up", soon())
                .close();
        expectFree("after the release");
    }

    @Test
    void s6_7_aGrantThatIsAnsweredAgainEndsBeforeAnotherIsGranted() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease.dividedBy(2));
        reply.getLost();
        LockHandle held = get(acquire, "asked again and granted", soon());
        silence(a);
        expectLostBeforeAnotherIsGranted(a, held);
    }

    @Test
    void s7_15_whatIsLeftIsCleanedUpHoweverLongThatFails() throws Exception {
        Peer a = peer();
        a.faults.failWithdrawals(true);
        a.faults.loseNextGrant();
        thrown(LockException.class, "as the outcome is unknown", a.lock(name)::tryAcquire);
        await("cleaning up is tried", () -> a.faults.failedWithdrawals() > 0);
        store.letPass(expiry(a).plus(expiry(a)));
        a.faults.failWithdrawals(false);
        expectFree("once cleaning up succeeds");
    }

    @Test
    void s2_1_aGrantThatIsTooLateDoesNotCount() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease);
        reply.arrive();
        // The acquire may ask anew, but what it returns must be another grant.
        await("the acquire ends", acquire::isDone);
        expectNotLate(reply, acquire.failure(), acquire.result());
        expectFree("after a grant that came too late");
    }

    @Test
    void s2_2_anAsynchronousGrantThatIsTooLateDoesNotCount() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        CompletableFuture<LockHandle> acquire = a.lock(name).acquireAsync();
        await("the store grants", reply::isUnderWay);
        store.letPass(lease);
        reply.arrive();
        await("the acquire ends", acquire::isDone);
        if (acquire.isCompletedExceptionally()) {
            failure(acquire, LockException.class, "of a grant that came too late");
        } else {
            expectNotLate(reply, null, acquire.get());
        }
        expectFree("after a grant that came too late");
    }

    @Test
    void s2_3_aTryWhoseGrantIsTooLateDoesNotCount() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<Optional<LockHandle>> acquire = start(a.lock(name)::tryAcquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease);
        reply.arrive();
        failure(acquire, LockException.class, "of a try whose grant came too late: nobody else has the lock");
        expectFree("after a grant that came too late");
    }

    private void expectNotLate(FaultyBackend.LateReply reply, @Nullable Throwable failure, @Nullable LockHandle held) {
        expect(
                failure == null || failure instanceof LockException,
                "a LockException or a hold",
                String.valueOf(failure));
        if (held != null) {
            expect(
                    held.fencingToken() >> 8 > reply.base(),
                    "a grant after the one that came too late, whose base is " + reply.base(),
                    "base " + (held.fencingToken() >> 8));
            expectState(held, State.HELD, "when the acquire returns it");
            held.release();
        }
    }

    @Test
    void s2_4_aGrantThatIsTooLateSparesTheSuccessor() throws Exception {
        Peer a = peer(builder -> builder.defaultOptions(LockOptions.defaults().fixedLease(lease)));
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<Boolean> acquire = start(() -> {
            tryAndRelease(a);
            return true;
        });
        await("the store grants", reply::isUnderWay);
        silence(a);
        store.letPass(expiry(a));
        LockHandle successor = get(start(peer().lock(name)::acquire), "another client gets the lock", soon());
        restore(a);
        reply.arrive();
        get(acquire);
        store.letPass(lease);
        expectHeld(successor, "after a late grant was given back");
        LockHandle.Release outcome = successor.release();
        expect(outcome == LockHandle.Release.RELEASED, "the successor's hold was spared", outcome);
        expectFree("after the successor's release");
    }

    @Test
    void s2_5_aGrantThatIsSlowIsShorter() throws Exception {
        Duration delay = lease.dividedBy(2);
        Peer a = peer();
        a.faults.failRenewals(Integer.MAX_VALUE);
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(delay);
        reply.arrive();
        LockHandle held = get(acquire);
        Duration remaining = held.remaining();
        expect(remaining.compareTo(lease.minus(delay)) <= 0, "at most half of the lease is left", remaining);
        held.release();
        expectFree("after the release");
    }
}
