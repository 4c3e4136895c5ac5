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
    void s7_aGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
        Peer a = peer();
        a.faults.loseNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        expectSameGrant(a, get(acquire, "asked again and granted, long before the lease ends", soon()));
    }

    @Test
    void s7_anAsynchronousGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
        Peer a = peer();
        a.faults.loseNextGrant();
        CompletableFuture<LockHandle> acquire = a.lock(name).acquireAsync();
        await("asked again and granted, long before the lease ends", soon(), acquire::isDone);
        expectSameGrant(a, get(acquire, "granted"));
    }

    @Test
    void s7_aWaitersGrantWhoseReplyIsLostIsGrantedOnce() throws Exception {
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
    void s7_aTryWhoseGrantIsLostLeavesNothing() {
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
    void s7_anAcquireThatIsGivenUpLeavesNoPlace() throws Exception {
        Peer b = peer();
        LockHandle held = peer().lock(name).acquire();
        Optional<LockHandle> answer = b.lock(name).tryAcquire(brief());
        expect(answer.isEmpty(), "busy", answer);
        held.close();
        expectFree("after its release, although another gave up");
    }

    @Test
    void s7_aPlaceThatIsGivenUpDelaysNoWaiter() throws Exception {
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
    void s7_anAcquireFromASilentStoreLeavesNothing() throws Exception {
        Peer a = peer();
        silence(a);
        thrown(LockException.class, "from a store that does not answer", () -> {
            Optional<LockHandle> none = a.lock(name).tryAcquire(Duration.ofMillis(100));
            expect(none.isEmpty(), "no hold", none);
        });
        restore(a);
        expectFree("once the store answers again");
    }

    @Test
    void s7_whatIsLeftIsCleanedUpHoweverLongThatFails() throws Exception {
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
    void s2_aGrantThatIsTooLateDoesNotCount() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease);
        reply.arrive();
        // The acquire may ask anew, but what it returns must be held.
        await("the acquire ends", acquire::isDone);
        expectNotLate(acquire.failure(), acquire.result());
        expectFree("after a grant that came too late");
    }

    @Test
    void s2_anAsynchronousGrantThatIsTooLateDoesNotCount() throws Exception {
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
            expectNotLate(null, acquire.get());
        }
        expectFree("after a grant that came too late");
    }

    @Test
    void s2_aTryWhoseGrantIsTooLateDoesNotCount() throws Exception {
        Peer a = peer();
        FaultyBackend.LateReply reply = a.faults.delayNextGrant();
        Task<Optional<LockHandle>> acquire = start(a.lock(name)::tryAcquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease);
        reply.arrive();
        await("the try ends", acquire::isDone);
        Optional<LockHandle> answer = acquire.result();
        expectNotLate(acquire.failure(), answer == null ? null : answer.orElse(null));
        expectFree("after a grant that came too late");
    }

    private void expectNotLate(@Nullable Throwable failure, @Nullable LockHandle held) {
        expect(
                failure == null || failure instanceof LockException,
                "a LockException or a hold",
                String.valueOf(failure));
        if (held != null) {
            expectState(held, State.HELD, "when the acquire returns it");
            held.release();
        }
    }

    @Test
    void s2_aGrantThatIsTooLateSparesTheSuccessor() throws Exception {
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
    void s2_aGrantThatIsSlowIsShorter() throws Exception {
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
