package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.tests.FaultyBackend.LateReply;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules S6 and V1: when a hold that is not released ends for its holder, and when for other clients. */
abstract class LossRules extends Rules {

    @ParameterizedTest
    @EnumSource
    void s6_1_aSilentHoldersHoldEndsBeforeTheNextGrant(LockUse use) {
        Peer a = peer();
        LockHandle held = acquire(a);

        silence(a);

        expectLostBeforeAnotherIsGranted(a, held);
    }

    @Test
    void s6_7_aRepeatedGrantEndsBeforeTheNextGrant() {
        Peer a = peer();
        LateReply reply = a.faults.delayNextGrant();
        Task<LockHandle> acquiring = start(a.lock(name)::acquire);
        await("the store grants", reply::isUnderWay);
        store.letPass(lease.dividedBy(2));
        reply.getLost();
        LockHandle held = get(acquiring, "asked again and granted", soon());

        silence(a);

        expectLostBeforeAnotherIsGranted(a, held);
    }

    private void expectLostBeforeAnotherIsGranted(Peer silent, LockHandle held) {
        Peer other = peer();
        Duration step = lease.dividedBy(20);
        Duration bound = expiry(silent).plus(step);
        Duration passed = Duration.ZERO;
        Optional<LockHandle> next = Optional.empty();
        while (next.isEmpty()) {
            expect(passed.compareTo(bound) <= 0, "granted to another client in the end", "busy after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
            next = alone(other).tryAcquire();
        }
        expectState(held, State.LOST, "when another client is granted the lock");
    }

    @Test
    void s6_2_validityStartsBeforeTheRequestIsSent() {
        acquire(peer()).close(); // The first grant of a name may take a second request.
        Peer a = peer(builder -> builder.requestTimeout(lease));
        a.faults.dropRequests(Integer.MAX_VALUE, Request.RENEWAL);
        silence(a);
        Task<LockHandle> acquiring = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);

        store.letPass(lease.dividedBy(2));
        restore(a);

        LockHandle held = get(acquiring);
        Duration most = lease.minusNanos(a.backend.clock().nanoTime() - a.faults.grantAskedAt());
        Duration remaining = held.remaining();
        expect(remaining.compareTo(most) <= 0, "at most " + most + " of the lease is left", remaining);
    }

    @Test
    void s6_3_anExpiredLeaseIsReportedWithinASecond() {
        Peer a = peer();
        LockHandle held = acquire(a);
        List<LockLoss> losses = losses(held);

        silence(a);
        store.letPass(lease);

        // No call asks the hold, for that would end it.
        LockLoss loss = awaitLoss(losses, LossReason.EXPIRED);
        expect(!held.isHeld(), "not held after a lease without renewal", held.state());
        expect(
                loss.lockName().equals(name) && loss.fencingToken() == held.fencingToken(),
                "a loss with the name of the lock and the token of the hold",
                loss);
        expect(loss.held().compareTo(lease) <= 0, "held for at most a lease of " + lease, loss.held());
    }

    @Test
    void s6_4_anUnconfirmedRenewalDoesNotExtendAHold() {
        Peer a = peer();
        LockHandle held = acquire(a);

        a.faults.dropReplies(Integer.MAX_VALUE, Request.RENEWAL);
        store.letPass(lease);

        expectState(held, State.LOST, "after a lease in which no renewal was confirmed");
    }

    @ParameterizedTest
    @EnumSource
    void s6_5_theNextRenewalDetectsADeletedHold(LockUse use) {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = acquire(a);
        List<LockLoss> losses = losses(held);

        lose(name);
        store.letPass(lease.dividedBy(2));

        awaitLoss(losses, LossReason.GONE);
        expectState(held, State.LOST, "after the hold was deleted");
        expectFree("after the hold was deleted");
    }

    @Test
    void api_22_aFixedLeaseEndsByItself() {
        Peer a = peer(builder -> builder.defaultOptions(LockOptions.defaults().fixedLease(lease)));
        LockHandle held = acquire(a);
        List<LockLoss> losses = losses(held);

        store.letPass(lease.dividedBy(2));
        expectHeld(held, "for half of its lease");
        store.letPass(lease.dividedBy(2));

        expect(!held.isHeld(), "not held after its lease", held.state());
        awaitLoss(losses, LossReason.LEASE_ENDED);
        expectFree("after a fixed lease has ended");
        LockLostException thrown = thrown(LockLostException.class, "by close after the lease", held::close);
        expect(thrown.loss().reason() == LossReason.LEASE_ENDED, "LEASE_ENDED", thrown.loss());
    }

    private LockLoss awaitLoss(List<LockLoss> losses, LossReason reason) {
        await("the loss is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == reason, reason.name(), losses);
        return losses.get(0);
    }

    @ParameterizedTest
    @EnumSource
    void v1_1_aSilentClientsLockIsFreeAfterItsExpiry(LockUse use) {
        Peer a = peer();
        LockHandle held = acquire(a);
        store.letPass(lease);
        expectHeld(held, "and renewed after a lease");

        silence(a);
        store.letPass(expiry(a));

        expectFree("after the expiry of its silent holder");
    }

    @ParameterizedTest
    @EnumSource
    void v1_2_aWaiterGetsASilentClientsLockAfterItsExpiry(LockUse use) {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = acquire(alone(a));
        Task<LockHandle> waiter = startQueued(b, lock(b));

        silence(a);
        store.letPass(expiry(a));

        expectState(held, State.LOST, "after the expiry");
        get(waiter, "the waiter gets the lock after the expiry of its silent holder", soon())
                .close();
        expectFree("after the waiter's release");
    }

    @ParameterizedTest
    @EnumSource
    void v1_3_aSilentWaiterDelaysOthersForABoundedTime(LockUse use) {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        Peer c = peer();
        LockHandle held = acquire(alone(peer()));
        Task<LockHandle> silent = startQueued(b, lock(b));
        Task<LockHandle> next = startQueued(c, lock(c));

        silence(b);
        // Its last request may still have been on its way.
        store.letPass(expiry(b).plus(store.slack()));
        held.close();

        get(next, "the next waiter gets the lock although the one before fell silent", soon())
                .close();
        expect(!silent.isDone(), "the silent waiter goes on waiting", silent.failure());
        restore(b);
        get(silent, "the silent waiter gets the lock once the store answers it again", store.patience())
                .close();
        expectFree("after the waiters' releases");
    }

    @Test
    void v1_4_anEarlierHolderDoesNotKeepTheLockFromExpiring() throws Exception {
        Peer a = peer();
        Peer b = peer();
        acquire(a).close();
        LockHandle other = a.lock(name + "x").acquire();
        LockHandle held = acquire(b);

        silence(b);
        store.letPass(expiry(b));

        expectState(held, State.LOST, "after its expiry");
        acquireSoon(peer()).close();
        other.close();
        expectFree("after the expiry of its silent holder");
    }
}
