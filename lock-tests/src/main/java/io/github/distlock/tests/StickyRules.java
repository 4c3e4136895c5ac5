package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Rules V11: a client keeps a sticky lock between two holds, and only as long as no other client asks for it. */
@Uses(sticky = true)
abstract class StickyRules extends Rules {
    /** Longer than a client keeps a lock that no caller holds. */
    private static final Duration DORMANT = Duration.ofSeconds(2);

    @Test
    void v11_1_aReacquireAsksNothing() {
        List<LockHandle> holds = dormant(peer());

        LockHandle next = acquireSoon(peer());

        holds.add(next);
        for (int i = 1; i < holds.size(); i++) {
            long before = holds.get(i - 1).fencingToken();
            long token = holds.get(i).fencingToken();
            expect(token > before, "a token above " + before, token);
        }
        next.close();
        expectFree("after the other client's release");
    }

    /** Acquires and releases until the client has done so without a request. Returns all its holds. */
    private List<LockHandle> dormant(Peer peer) {
        List<LockHandle> holds = new ArrayList<>();
        await("a client acquires its sticky lock again without a request", () -> {
            holds.add(acquire(sticky(peer)));
            holds.get(holds.size() - 1).close();
            int before = peer.faults.requests();
            holds.add(acquire(sticky(peer)));
            holds.get(holds.size() - 1).close();
            return peer.faults.requests() == before;
        });
        return holds;
    }

    @Test
    void v11_2_aWaiterIsGrantedADormantLock() {
        Peer a = peer();
        Peer b = peer();

        await("a client hears that another one waits", () -> {
            dormant(a);
            acquireSoon(b).close();
            return a.events.count("wanted") > 0;
        });

        expectFree("after the waiter's release");
    }

    @Test
    void v11_3_aSingleTryEndsADormantHold() {
        Peer a = peer();
        Peer b = peer();

        await("a client hears of a single try", () -> {
            dormant(a);
            Optional<LockHandle> tried = b.lock(name).tryAcquire();
            tried.ifPresent(LockHandle::close);
            return tried.isEmpty() && Waiting.until(soon(), () -> a.events.count("wanted") > 0);
        });

        expectFree("after a single try has found it busy");
    }

    @Test
    void v11_4_aLockThatOthersWaitForIsReleasedAtOnce() {
        Peer a = peer();
        Peer c = peer();
        dormant(a);
        LockHandle held = acquireSoon(peer());
        Task<LockHandle> waiter = startQueued(a, sticky(a));
        Task<LockHandle> behind = startQueued(c, c.lock(name));
        held.close();
        LockHandle granted = get(waiter, "the first waiter is granted the lock", soon());
        int before = a.faults.requests();

        granted.close();

        expect(a.faults.requests() > before, "a release that goes to the store", "none");
        get(behind, "the next waiter is granted the lock", soon()).close();
        expectFree("after the last release");
    }

    @Test
    void v11_5_aDormantHoldEndsByItself() {
        dormant(peer());

        store.letPass(DORMANT);

        expectClean("some time after the last release");
    }

    @Test
    void v11_6_aClosedClientKeepsNoDormantHold() {
        Peer a = peer();
        dormant(a);

        a.locks.close();

        expectFree("after the client was closed");
    }

    @Test
    void v11_7_aDormantHoldOfASilentClientEndsWithItsLease() {
        Peer a = peer();
        Peer b = peer();
        LockHandle last = acquire(sticky(a));
        last.close();
        dormant(a);
        silence(a);
        Task<LockHandle> waiter = start(b.lock(name)::acquire);

        store.letPass(expiry(a));

        LockHandle next = get(waiter, "the lock is granted when the lease of the silent client is over", soon());
        expect(next.fencingToken() > last.fencingToken(), "a greater token", next.fencingToken());
        next.close();
    }

    @Test
    void v11_8_aDormantHoldThatTheStoreHasLostIsNotUsedForLong() {
        Peer a = peer();
        dormant(a);
        lose(name);
        LockHandle next = acquireSoon(peer());

        store.letPass(DORMANT);

        expectBusy(sticky(a), "whose dormant hold was deleted");
        expectHeld(next, "after the other client's dormant hold has ended");
        next.close();
        expectFree("after the release");
    }

    @Test
    void v11_9_aRequestForReleaseEndsADormantHold() {
        Peer a = peer();
        Peer b = peer();
        if (!can(Capability.RELEASE_REQUESTS)) {
            thrown(
                    UnsupportedOperationException.class,
                    "without " + Capability.RELEASE_REQUESTS,
                    () -> b.locks.inspector().requestRelease(name));
            return;
        }

        await("a client hears of a request for release", () -> {
            dormant(a);
            int holders = b.locks.inspector().requestRelease(name);
            return holders == 1 && Waiting.until(soon(), () -> a.events.count("wanted") > 0);
        });

        expectFree("after a request for release");
    }
}
