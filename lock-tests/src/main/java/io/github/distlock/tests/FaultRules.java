package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/**
 * What the rules of faults share: the report of faults that a fixture cannot cause, and bounds for a store that
 * recovers.
 */
abstract class FaultRules extends Rules {
    /** How many holds are measured. */
    static final int MEASURED = Integer.getInteger("lock.loss.repeats", 3);

    static final Duration STEP = Duration.ofMillis(20);

    @BeforeEach
    final void reportFaultsThatAreNotCaused(TestInfo test) {
        Causes causes = test.getTestMethod().orElseThrow().getAnnotation(Causes.class);
        for (StoreFault fault : causes.value()) {
            if (!store.faults().contains(fault)) {
                report("not caused", fault.toString());
            }
        }
    }

    /** Lets time pass until the condition is true, in steps that give threads time to run. */
    final void within(Duration bound, String expected, BooleanSupplier condition) {
        Duration step = bound.dividedBy(40);
        Duration passed = Duration.ZERO;
        while (!Waiting.until(STEP, condition)) {
            expect(passed.compareTo(bound) <= 0, expected + ", within " + bound, "not after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
        }
    }

    /** Returns how long the store may keep an abandoned hold or queue entry, with what a busy machine adds. */
    final Duration recovery(Peer peer) {
        return expiry(peer).plus(soon());
    }

    /** Returns the same after a lost message, which ends no connection if there is no network. */
    final Duration repetition(Peer peer) {
        return peer.network.isReal() ? recovery(peer) : soon();
    }

    /** Acquires a lock once the store has recovered. */
    final LockHandle granted(Peer peer, String lockName) {
        return granted(peer, lockName, recovery(peer));
    }

    final LockHandle granted(Peer peer, String lockName, Duration bound) {
        return granted(alone(peer, lockName), bound);
    }

    final LockHandle granted(DistributedLock lock, Duration bound) {
        Task<LockHandle> acquire = start(lock::acquire);
        within(bound, "another acquire is granted", acquire::isDone);
        return get(acquire);
    }

    /** Acquires a lock once the store has recovered, with a greater token than that of an earlier hold. */
    final LockHandle grantedAfter(long token, Peer peer, String lockName) {
        return grantedAfter(token, use(), peer, lockName);
    }

    /** Acquires a lock once its hold has ended. */
    final LockHandle grantedAfter(long token, HeldLock lock) {
        return grantedAfter(token, lock.use, peer(), lock.lockName());
    }

    /** Acquires a lock once its hold has ended. Tokens of permits have no order. */
    final LockHandle grantedAfter(long token, LockUse use, Peer peer, String lockName) {
        LockHandle next = granted(use.alone(peer.locks, lockName), recovery(peer));
        expect(
                use == LockUse.PERMIT || next.fencingToken() > token,
                "a token greater than " + token,
                next.fencingToken());
        return next;
    }

    /** As {@link #expectFree(String)}, once the store has recovered. */
    final void expectFreeAgain(String when) {
        Peer outsider = peer();
        expectFreeWithin(recovery(outsider), outsider, when);
    }

    final void expectFreeWithin(Duration bound, Peer outsider, String when) {
        granted(outsider, name, bound).close();
        within(bound, "nothing is left in the store " + when, () -> leftovers().isEmpty());
    }

    final void expectFailureInTime(Peer peer, String lockName, String when) {
        Duration bound = brief();
        Task<Optional<LockHandle>> acquire = start(() -> peer.lock(lockName).tryAcquire(bound));
        LockException failure = failure(acquire, LockException.class, "of a timed acquire " + when);
        expect(failure.lockName().equals(lockName), "the lock's name", failure.lockName());
        expectInTime(acquire, bound);
    }

    // How much earlier a hold ends than another client can get the lock

    /** A lock that a client holds. */
    record HeldLock(Peer peer, LockUse use, LockHandle held) {
        String lockName() {
            return held.lockName();
        }

        /** Returns the lock for another client, which gets it once this hold has ended. */
        DistributedLock next(Peer other) {
            return use.alone(other.locks, lockName());
        }

        /** Returns when the hold ends for its holder. */
        long ownEnd() {
            return peer.backend.clock().nanoTime() + held.remaining().toNanos();
        }

        /** Waits for the end of the hold, and returns a moment after which it was certainly still held. */
        long lastHeldAt() {
            long lookedAt = peer.backend.clock().nanoTime();
            long heldAfter = lookedAt;
            while (held.isHeld()) {
                heldAfter = lookedAt;
                LockSupport.parkNanos(500_000);
                lookedAt = peer.backend.clock().nanoTime();
            }
            return heldAfter;
        }
    }

    final HeldLock heldLock(LockUse use) throws InterruptedException {
        Peer peer = peer();
        return new HeldLock(
                peer, use, use.lock(peer.locks, name + "/" + peer.client).acquire());
    }

    /** Acquires locks of all kinds by several clients, each at another moment between two renewals. */
    final List<HeldLock> heldLocks() throws InterruptedException {
        List<LockUse> uses = uses();
        List<HeldLock> all = new ArrayList<>();
        for (int i = 0; i < Math.max(MEASURED, uses.size()); i++) {
            all.add(heldLock(uses.get(i % uses.size())));
            store.letPass(lease.dividedBy(40).plusMillis(37));
        }
        store.letPass(lease.dividedBy(2));
        return all;
    }

    /** Expects that no hold ended later for its holder than for other clients. */
    final void expectSpare(List<Long> spareNanos) {
        List<Long> spares = new ArrayList<>(spareNanos.stream()
                .map(spare -> Math.floorDiv(spare, 1_000_000))
                .toList());
        Collections.sort(spares);
        report(
                "spare",
                "holds of " + lease.toMillis() + " ms ended earlier than the lock was free by, in ms: " + spares);
        expect(spares.get(0) >= 0, "no hold ends later than the lock is free", spares);
    }
}
