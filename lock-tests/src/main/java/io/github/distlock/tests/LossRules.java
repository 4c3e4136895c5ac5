package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Renewal, and the ends of a hold that its holder does not want. */
abstract class LossRules extends Rules {
    /** Heartbeats of sessions come often: one a tick. */
    private static final int MOST_RENEWALS = 60;

    @Test
    void s6_1_aSilentHoldersHoldEndsBeforeAnotherIsGranted() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        silence(a);
        expectLostBeforeAnotherIsGranted(a, held);
    }

    @Test
    void s6_2_aHoldCountsFromBeforeItsRequestWasSent() throws Exception {
        Duration delay = lease.dividedBy(2);
        Peer a = peer(builder -> builder.requestTimeout(lease));
        a.faults.failRenewals(Integer.MAX_VALUE);
        silence(a);
        Task<LockHandle> acquire = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);
        store.letPass(delay);
        restore(a);
        LockHandle held = get(acquire);
        Duration remaining = held.remaining();
        Duration most = lease.minusNanos(a.backend.clock().nanoTime() - a.faults.grantAskedAt());
        expect(remaining.compareTo(most) <= 0, "at most " + most + " of the lease is left", remaining);
        held.release();
    }

    @Test
    void s6_3_aLapsedLeaseIsReportedWithinASecond() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        silence(a);
        store.letPass(lease);
        // Nobody asks the hold: whoever does would notice the loss himself.
        await("the loss is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(!held.isHeld(), "not held after a lease without renewal", held.state());
        LockLoss loss = losses.get(0);
        expect(
                loss.reason() == LossReason.EXPIRED
                        && loss.lockName().equals(name)
                        && loss.fencingToken() == held.fencingToken(),
                "EXPIRED, with name and token",
                loss);
        expect(loss.held().compareTo(lease) <= 0, "held for at most a lease of " + lease, loss.held());
    }

    @Test
    void s6_4_repliesOfRenewalsThatGetLostDoNotExtend() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        a.faults.loseReplyOfRenewals();
        store.letPass(lease);
        expectState(held, State.LOST, "when no renewal was confirmed for a lease");
    }

    @Test
    void s6_5_aDeletedHoldIsNoticedByTheNextRenewal() throws Exception {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        lose(name);
        store.letPass(lease.dividedBy(2));
        await("the loss is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.GONE, "GONE", losses);
        expectState(held, State.LOST, "after the store has lost it");
        expectFree("after the store has lost a hold");
    }

    @Test
    void s5_3_renewalNeverCreates() throws Exception {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = a.lock(name).acquire();
        lose(name);
        store.letPass(lease.dividedBy(2));
        await("lost after the store has lost it", () -> !held.isHeld());
        expectClean("after a renewal of a hold that was deleted");
        expectFree("after a renewal of a hold that was deleted");
    }

    @Test
    void s5_4_renewalSparesTheSuccessor() throws Exception {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = a.lock(name).acquire();
        lose(name);
        LockHandle successor = get(start(peer().lock(name)::acquire), "another client gets the lock", soon());
        store.letPass(lease.dividedBy(2));
        await("lost after the store has lost it", () -> !held.isHeld());
        store.letPass(lease.multipliedBy(2));
        expectHeld(successor, "after the renewal of the one before");
        LockHandle.Release outcome = successor.release();
        expect(outcome == LockHandle.Release.RELEASED, "the successor's hold was spared", outcome);
        expectFree("after the successor's release");
    }

    @Test
    void s8_6_aLostHoldStaysLost() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        List<LockLoss> losses = losses(held);
        silence(a);
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease without renewal");
        restore(a);
        store.letPass(lease);
        expectState(held, State.LOST, "although the store answers again");
        expect(!held.isHeld() && held.remaining().isZero(), "not held, nothing remains", held.remaining());
        thrown(LockLostException.class, "by ensureHeld of a lost hold", held::ensureHeld);
        await("the loss is reported", () -> !losses.isEmpty());
        held.release();
        expectState(held, State.LOST, "after a release");
        expectFree("after the loss");
        expect(losses.size() == 1, "reported once", losses);
    }

    @Test
    void s6_6_aListenerThatComesAfterTheLossIsCalledAtOnce() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        lose(name);
        store.letPass(lease.dividedBy(2));
        await("lost after the store has lost it", () -> !held.isHeld());
        List<LockLoss> losses = losses(held);
        await("the late listener is called", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.GONE, "GONE", losses);
    }

    @Test
    void v8_2_aFailedRenewalIsRetriedAndTheHoldGoesOn() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        a.faults.failRenewals(2);
        store.letPass(lease.multipliedBy(4));
        expect(a.faults.failedRenewals() == 2, "two renewals fail", a.faults.failedRenewals());
        expectState(held, State.HELD, "after renewals failed and then succeeded");
        expectBusy(peer(), "after renewals failed and then succeeded");
        held.close();
        expectFree("after the release");
    }

    @Test
    void v8_3_aSilentStoreForAWhileIsSurvived() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        silence(a);
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "after half a lease without answers");
        restore(a);
        store.letPass(lease.multipliedBy(2));
        expectState(held, State.HELD, "after the store has answered again");
        expectBusy(peer(), "after the store has answered again");
        held.close();
        expectFree("after the release");
    }

    @Test
    void v8_4_aRenewedLeaseOutlivesManyLeases() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        for (int i = 0; i < 5; i++) {
            store.letPass(lease);
            expectState(held, State.HELD, "after " + (i + 1) + " leases");
            expectBusy(peer(), "after " + (i + 1) + " leases");
        }
        held.close();
        expectFree("after the release");
    }

    @Test
    void v8_5_aHoldCostsFewRenewals() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        int before = a.faults.requests();
        store.letPass(lease.multipliedBy(2));
        int renewals = a.faults.requests() - before;
        expect(renewals <= 2 * MOST_RENEWALS, "at most " + MOST_RENEWALS + " requests per lease", renewals + " in two");
        held.close();
    }

    @Test
    void v8_6_aSilentClientsRenewalsDelayNobodyElses() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle lost = a.lock(name).acquire();
        LockHandle kept = b.lock(name + "x").acquire();
        silence(a);
        store.letPass(lease.multipliedBy(2));
        expectState(lost, State.LOST, "of the silent client");
        expectState(kept, State.HELD, "of the other client");
        kept.close();
    }

    @Test
    void v8_10_aWaitDelaysNoRenewal() throws Exception {
        Peer a = peer();
        LockHandle other = peer().lock(name).acquire();
        LockHandle held = a.lock(name + "x").acquire();
        Task<LockHandle> waiter = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 1);
        store.letPass(lease.multipliedBy(2));
        expectState(held, State.HELD, "while its client waits for another lock");
        other.close();
        get(waiter).close();
        held.close();
        expectFree("after all have released");
    }

    @Test
    void v8_11_aSilentServerDelaysNoOtherServersRenewals() throws Exception {
        Peer a = peerOfTwoServers(lock -> lock.endsWith("x"));
        LockHandle lost = a.lock(name).acquire();
        LockHandle kept = a.lock(name + "x").acquire();
        silence(a);
        store.letPass(lease.multipliedBy(2));
        expectState(lost, State.LOST, "on the silent server");
        expectState(kept, State.HELD, "on the other server of the same client");
        restore(a);
        kept.close();
        expectFree("after all have ended");
    }

    @Test
    void api_22_aFixedLeaseEndsByItself() throws Exception {
        Peer a = peer();
        LockHandle held =
                a.locks.lock(name, LockOptions.defaults().fixedLease(lease)).acquire();
        List<LockLoss> losses = losses(held);
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "for half of its lease");
        store.letPass(lease.dividedBy(2));
        expect(!held.isHeld(), "not held after its lease", held.state());
        await("the end is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.LEASE_ENDED, "LEASE_ENDED", losses);
        expectFree("after a fixed lease has ended");
        LockLostException thrown = thrown(LockLostException.class, "by close after the lease", held::close);
        expect(thrown.loss().reason() == LossReason.LEASE_ENDED, "LEASE_ENDED", thrown.loss());
    }

    @Test
    void api_23_aMaximumHoldEndsByItself() throws Exception {
        Peer a = peer();
        LockOptions options = options().maximumHold(lease.multipliedBy(2));
        LockHandle held = a.locks.lock(name, options).acquire();
        List<LockLoss> losses = losses(held);
        store.letPass(lease.multipliedBy(3).dividedBy(2));
        expectHeld(held, "before its maximum");
        store.letPass(lease);
        expect(!held.isHeld(), "not held after its maximum", held.state());
        await("the end is reported", Duration.ofSeconds(1).plus(store.slack()), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.MAXIMUM_HOLD, "MAXIMUM_HOLD", losses);
        expectFree("after a maximum hold has ended");
    }

    @Test
    void v1_1_aSilentClientsLockIsFreeAfterItsExpiry() throws Exception {
        Peer a = peer();
        LockHandle held = a.lock(name).acquire();
        store.letPass(lease);
        expectHeld(held, "and renewed after a lease");
        silence(a);
        store.letPass(expiry(a));
        expectFree("when its silent holder's time is over");
    }

    @Test
    void v1_2_aWaiterGetsASilentClientsLockAfterItsExpiry() throws Exception {
        Peer a = peer();
        Peer b = peer();
        a.lock(name).acquire().ensureHeld();
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        silence(a);
        store.letPass(expiry(a));
        get(waiter, "the waiter gets the lock when its silent holder's time is over", soon())
                .close();
        expectFree("after the waiter's release");
    }

    @Test
    void v1_3_aSilentWaiterDelaysNobodyForLong() throws Exception {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        Peer c = peer();
        LockHandle held = peer().lock(name).acquire();
        Task<LockHandle> silent = startQueued(b, b.lock(name));
        Task<LockHandle> next = startQueued(c, c.lock(name));
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
        a.lock(name).acquire().close();
        LockHandle other = a.lock(name + "x").acquire();
        b.lock(name).acquire().ensureHeld();
        silence(b);
        store.letPass(expiry(b));
        get(start(peer().lock(name)::acquire), "granted when its silent holder's time is over", soon())
                .close();
        other.close();
        expectFree("after all have ended");
    }

    @Test
    void v8_12_manyWaitersDelayNoRenewal() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle kept = a.lock(name).acquire();
        List<LockHandle> busy = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            busy.add(b.lock(name + "/" + i).acquire());
        }
        List<CompletableFuture<?>> waiters = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiters.add(a.lock(name + "/" + i % busy.size()).acquireAsync().thenCompose(LockHandle::releaseAsync));
        }
        await("waiters for all locks", () -> a.faults.toldBusy() >= busy.size());
        store.letPass(lease);
        expectState(kept, State.HELD, "with 100 acquires that wait beside it");
        busy.forEach(LockHandle::release);
        for (CompletableFuture<?> waiter : waiters) {
            get(waiter, "a waiter is granted and releases");
        }
        expectState(kept, State.HELD, "when all have been granted");
        kept.close();
        expectFree("after all releases");
    }
}
