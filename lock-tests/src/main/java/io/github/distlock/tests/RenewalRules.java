package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.tests.FaultyBackend.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules V8, and those of S5 about renewal: a hold is renewed whatever else happens, and no other hold is. */
abstract class RenewalRules extends Rules {
    /** Heartbeats of sessions come often: one a tick. */
    private static final int MOST_RENEWALS = 60;

    @ParameterizedTest
    @EnumSource
    void s5_3_renewalNeverCreatesAHold(LockUse use) {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = acquire(a);

        lose(name);
        store.letPass(lease.dividedBy(2));
        await("lost by the next renewal", () -> !held.isHeld());

        expectClean("after a renewal of a hold that was deleted");
        expectFree("after a renewal of a hold that was deleted");
    }

    @ParameterizedTest
    @EnumSource
    void s5_4_renewalDoesNotAffectTheSuccessor(LockUse use) {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle held = acquire(a);
        lose(name);
        LockHandle successor = acquireSoon(peer());

        store.letPass(lease.dividedBy(2));
        await("lost by the next renewal", () -> !held.isHeld());

        store.letPass(lease.multipliedBy(2));
        expectHeld(successor, "after the renewal of the hold before");
        expectRelease(successor, Release.RELEASED, "for the successor, whose hold was spared");
        expectFree("after the successor's release");
    }

    @Test
    void v8_2_aFailedRenewalIsRetriedAndTheHoldContinues() {
        Peer a = peer();
        LockHandle held = acquire(a);

        a.faults.dropRequests(2, Request.RENEWAL);
        store.letPass(lease.multipliedBy(4));

        expect(a.faults.dropped() == 2, "two renewals fail", a.faults.dropped());
        expectGoesOn(held, "after renewals failed and then succeeded");
    }

    @ParameterizedTest
    @EnumSource
    void v8_3_aHoldSurvivesAShortSilenceOfTheStore(LockUse use) {
        Peer a = peer();
        LockHandle held = acquire(a);

        silence(a);
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "after half a lease without answers");
        restore(a);
        store.letPass(lease.multipliedBy(2));

        expectGoesOn(held, "after the store has answered again");
    }

    @Test
    void v8_4_aRenewedHoldOutlivesManyLeases() {
        LockHandle held = acquire(peer());
        for (int i = 1; i <= 5; i++) {
            store.letPass(lease);

            expectState(held, State.HELD, "after " + i + " leases");
            expectBusy(peer(), "after " + i + " leases");
        }
        held.close();
        expectFree("after the release");
    }

    private void expectGoesOn(LockHandle held, String when) {
        expectState(held, State.HELD, when);
        expectBusy(peer(), when);
        held.close();
        expectFree("after the release");
    }

    @Test
    void v8_5_aHoldCostsFewRenewals() {
        Peer a = peer();
        LockHandle held = acquire(a);
        int before = a.faults.requests();

        store.letPass(lease.multipliedBy(2));

        int renewals = a.faults.requests() - before;
        expect(renewals <= 2 * MOST_RENEWALS, "at most " + MOST_RENEWALS + " requests per lease", renewals + " in two");
        held.close();
    }

    @Test
    void v8_6_aSilentClientsRenewalsDelayNoOtherClients() throws Exception {
        Peer a = peer();
        LockHandle lost = acquire(a);
        LockHandle kept = peer().lock(name + "x").acquire();

        silence(a);
        store.letPass(lease.multipliedBy(2));

        expectState(lost, State.LOST, "of the silent client");
        expectState(kept, State.HELD, "of the other client");
    }

    @Test
    void v8_11_aSilentServerDelaysNoOtherServersRenewals() throws Exception {
        Peer a = peerOfTwoServers(lock -> lock.endsWith("x"));
        LockHandle lost = acquire(a);
        LockHandle kept = a.lock(name + "x").acquire();

        silence(a);
        store.letPass(lease.multipliedBy(2));

        expectState(lost, State.LOST, "on the silent server");
        expectState(kept, State.HELD, "on the other server of the same client");
        restore(a);
        kept.close();
        expectFree("after both holds have ended");
    }

    @Test
    void v8_10_aWaitDelaysNoRenewal() throws Exception {
        Peer a = peer();
        LockHandle other = acquire(peer());
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
    void v8_12_manyWaitersDelayNoRenewal() throws Exception {
        Peer a = peer();
        Peer b = peer();
        LockHandle kept = acquire(a);
        List<LockHandle> busy = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            busy.add(b.lock(name + "/" + i).acquire());
        }
        List<CompletableFuture<?>> waiters = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiters.add(a.lock(name + "/" + i % busy.size()).acquireAsync().thenCompose(LockHandle::releaseAsync));
        }
        await("all locks have waiters", () -> a.faults.answeredBusy() >= busy.size());

        store.letPass(lease);

        expectState(kept, State.HELD, "with 100 acquires that wait beside it");
        busy.forEach(LockHandle::release);
        for (CompletableFuture<?> waiter : waiters) {
            get(waiter, "a waiter is granted and releases");
        }
        expectState(kept, State.HELD, "after all waiters were granted");
        kept.close();
        expectFree("after all releases");
    }
}
