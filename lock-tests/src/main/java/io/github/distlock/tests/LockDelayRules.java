package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockInspector;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Rules S15: a lost lock is granted to nobody before its lock delay is over, and promptly afterwards. */
@Uses(delayed = true)
abstract class LockDelayRules extends Rules {
    private final List<LockHandle> next = new CopyOnWriteArrayList<>();

    /** Returns how long the store keeps the lock of a silent holder, and for what a client adds that finds it late. */
    private Duration expiryWithDelay(Peer peer) {
        LockOwner owner = LockOwner.of("localhost", 1, peer.client, "main");
        Duration expiry =
                peer.backend.expiry(LockRequest.exclusive(name, lease, owner).withLockDelay(delay()));
        return expiry.plus(delay().dividedBy(2)).plus(soon());
    }

    /** Returns a question that tries to acquire the lock of this test. */
    private BooleanSupplier isGrantedTo(Peer other) {
        return () -> {
            alone(other).tryAcquire().ifPresent(next::add);
            return !next.isEmpty();
        };
    }

    /**
     * Returns whether the store grants a hold to this client from now on. The clock that a test moves waits for the
     * answer, but not for the thread that has waited for it.
     */
    private static BooleanSupplier isGrantedNext(Peer peer) {
        long before = peer.faults.grantAskedAt();
        return () -> peer.faults.grantAskedAt() != before;
    }

    /**
     * Loses a hold in some way. Expects that no other is granted before the delay has passed since the holder could
     * last believe that it held the lock, and that another is granted within a bound.
     */
    private void expectDelay(Peer holder, LockHandle held, Runnable loss, Duration bound, BooleanSupplier isGranted) {
        LockClock clock = holder.backend.clock();
        long begunAt = clock.nanoTime();
        long heldAfter = begunAt;
        expectHeld(held, "before its loss");
        loss.run();
        while (!isGranted.getAsBoolean()) {
            long now = clock.nanoTime();
            Duration passed = Duration.ofNanos(now - begunAt);
            expect(passed.compareTo(bound) <= 0, "granted to another client within " + bound, "busy after " + passed);
            if (held.isHeld()) {
                heldAfter = now;
            }
            store.letPass(delay().dividedBy(10));
        }
        Duration passed = Duration.ofNanos(clock.nanoTime() - heldAfter);
        expectState(held, State.LOST, "when another client is granted the lock");
        expect(passed.compareTo(delay()) >= 0, "a grant no earlier than " + delay() + " after the loss", passed);
    }

    private void releaseNext() {
        LockHandle granted = next.get(0);
        expectRelease(granted, Release.RELEASED, "for the client that was granted the lock after the delay");
        expectFree("after the next holder's release");
    }

    @Test
    void s15_1_aSilentHoldersLockStaysBusyForItsLockDelay() {
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));

        expectDelay(a, held, () -> silence(a), expiryWithDelay(a), isGrantedTo(peer()));

        LockHandle granted = next.get(0);
        expect(granted.fencingToken() > held.fencingToken(), "a greater token", granted.fencingToken());
        releaseNext();
    }

    @Test
    void s15_2_aWaiterIsGrantedALostLockWhenItsDelayIsOver() {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = acquire(delayedLock(a));
        Task<LockHandle> waiter = startQueued(b, b.lock(name));

        expectDelay(a, held, () -> silence(a), expiryWithDelay(a), isGrantedNext(b));

        get(waiter).close();
        expectFree("after the waiter's release");
    }

    @Test
    void s15_3_aReleaseOfALockWithADelayFreesItAtOnce() {
        Peer a = peer();
        Peer b = peer();
        LockHandle held = acquire(delayedLock(a));
        Task<LockHandle> waiter = startQueued(b, delayedLock(b));

        expectRelease(held, Release.RELEASED, "although the lock has a delay");

        get(waiter, "the waiter is granted the lock at once", soon()).close();
        expectFree("after the waiter's release");
    }

    @Test
    void s15_4_aLossThatTheClientKnowsOfKeepsTheLockForItsDelay() {
        Peer a = peer();
        Duration most = lease.dividedBy(2);
        DistributedLock lock = a.locks.lock(name, options().lockDelay(delay()).maximumHold(most));
        LockHandle held = acquire(lock);
        Task<LockHandle> waiter = start(lock::acquire);

        Duration bound = most.plus(delay()).plus(delay().dividedBy(4)).plus(soon());
        expectDelay(a, held, () -> {}, bound, isGrantedNext(a));

        get(waiter).close();
        expectFree("after the release of a waiter of the same client");
    }

    @Test
    void s15_5_aClientThatIsClosedKeepsTheLockOfItsHolderForItsDelay() {
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));

        expectDelay(a, held, a.locks::close, expiryWithDelay(a), isGrantedTo(peer()));

        releaseNext();
    }

    @Test
    void s15_6_aGrantThatNobodyGetsHasNoDelay() {
        Peer a = peer();
        a.faults.loseNextGrant();

        thrown(LockException.class, "if the reply to a try is lost", delayedLock(a)::tryAcquire);

        expectFree("after a grant that nobody got");
    }

    @Test
    void s15_7_aForcedReleaseEndsALockDelay() {
        if (!can(Capability.FORCE_RELEASE)) {
            return;
        }
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));
        silence(a);
        store.letPass(lease);
        expectState(held, State.LOST, "after a lease without a renewal");

        peer().locks.inspector().forceRelease(name);

        acquireSoon(peer()).close();
        expectFree("after a forced release during the delay");
    }

    @Test
    void s15_8_theInspectorShowsALostLockAsKept() {
        if (!can(Capability.INSPECT)) {
            return;
        }
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));
        silence(a);

        LockStatus status = statusWithoutHolder(expiryWithDelay(a));

        expectState(held, State.LOST, "when the inspector shows no holder");
        LockStatus.Kept kept = status.kept().orElseThrow(() -> broken("kept for the lock delay", "" + status, null));
        expect(kept.owner().client().equals(a.client), "the last holder " + a.client, kept);
        Duration left = kept.remaining();
        expect(
                left.compareTo(Duration.ZERO) > 0 && left.compareTo(delay().plus(store.slack())) <= 0,
                "kept for at most " + delay(),
                kept);
    }

    private LockStatus statusWithoutHolder(Duration bound) {
        LockInspector inspector = peer().locks.inspector();
        Duration step = delay().dividedBy(10);
        Duration passed = Duration.ZERO;
        LockStatus status = inspector.inspect(name);
        while (!status.holders().isEmpty()) {
            expect(passed.compareTo(bound) <= 0, "no holder within " + bound, status);
            store.letPass(step);
            passed = passed.plus(step);
            status = inspector.inspect(name);
        }
        return status;
    }

    @Test
    void s15_9_aHolderThatIsBackNeitherEndsNorExtendsTheDelay() {
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));
        BooleanSupplier isGranted = isGrantedTo(peer());

        expectDelay(a, held, () -> silence(a), expiryWithDelay(a), () -> {
            if (!held.isHeld()) {
                restore(a);
            }
            return isGranted.getAsBoolean();
        });

        expectRelease(held, Release.LOST, "for the holder that was back too late");
        releaseNext();
    }

    @Test
    void s15_10_aRequestForReleaseIsForNoHoldThatWasLost() {
        if (!can(Capability.INSPECT) || !can(Capability.RELEASE_REQUESTS)) {
            return;
        }
        Peer a = peer();
        LockHandle held = acquire(delayedLock(a));
        silence(a);
        LockStatus status = statusWithoutHolder(expiryWithDelay(a));
        expect(status.kept().isPresent(), "kept for the lock delay", status);

        int holders = peer().locks.inspector().requestRelease(name);

        expectState(held, State.LOST, "when the inspector shows no holder");
        expect(holders == 0, "a request for release that is for nobody", holders);
    }
}
