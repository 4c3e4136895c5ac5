package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What the rules of faults share: whether a fixture can cause a fault, and bounds for a store that was hurt. */
abstract class FaultRules extends Rules {
    /** The key of a report entry that names what a fixture cannot cause. */
    static final String NOT_CAUSED = "not caused";

    /** How often a hold's spare is measured. */
    static final int REPEATS = Integer.getInteger("lock.loss.repeats", 3);

    private static final Duration STEP = Duration.ofMillis(20);

    /** How many of these are measured side by side. */
    static final int AT_ONCE = 3;

    private static final AtomicInteger LOCKS = new AtomicInteger();

    /** Whether the fixture causes it; otherwise that is reported, and the rule goes on with what comes nearest. */
    final boolean causes(StoreFault fault) {
        if (store.faults().contains(fault)) {
            return true;
        }
        report(NOT_CAUSED, fault + " (" + fault.description() + ")");
        return false;
    }

    // Time that passes by itself, or is moved

    /** Lets time pass until it happens; at each step also the time that threads need. */
    final void within(Duration bound, String expected, BooleanSupplier condition) {
        Duration step = bound.dividedBy(40);
        Duration passed = Duration.ZERO;
        while (!Waiting.until(STEP, condition)) {
            expect(passed.compareTo(bound) <= 0, expected + ", within " + bound, "not after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
        }
    }

    /** A hold that a client gets within that time. */
    final LockHandle granted(Peer peer, String lockName, Duration bound) {
        Task<LockHandle> acquire = start(peer.lock(lockName)::acquire);
        within(bound, "another acquire is granted", acquire::isDone);
        return get(acquire);
    }

    /** How long a hold or place that was left behind may stay, with what a busy machine adds. */
    final Duration recovery(Peer peer) {
        return expiry(peer).plus(soon());
    }

    /** The same after a lost message. Where no connection broke with it, nothing has to expire first. */
    final Duration repetition(Peer peer) {
        return store instanceof ServerFixture<?> ? recovery(peer) : soon();
    }

    /** As {@link #expectFree(String)}, after a while. */
    final void expectFreeWithin(Duration bound, String when) {
        granted(peer(), name, bound).close();
        within(bound, "nothing is left in the store " + when, () -> leftovers().isEmpty());
    }

    final void expectReleased(LockHandle held, String when) {
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.RELEASED, "RELEASED " + when, outcome);
    }

    final void expectLostAtRelease(LockHandle held) {
        LockHandle.Release outcome = held.release();
        expect(outcome == LockHandle.Release.LOST, "LOST", outcome);
    }

    final void expectFailureInTime(Peer peer, String lockName, String when) {
        Duration bound = brief();
        Task<Optional<LockHandle>> acquire = start(() -> peer.lock(lockName).tryAcquire(bound));
        LockException failure = failure(acquire, LockException.class, "of a timed acquire " + when);
        expect(failure.lockName().equals(lockName), "the lock's name", failure.lockName());
        long latest = latest(bound);
        expect(acquire.millis() <= latest, "back within " + latest + " ms", acquire.millis() + " ms");
    }

    // How much earlier a hold ends than another can have it

    /** Holds of several clients, some time into each, and of each another: somewhere between two renewals. */
    final List<HeldLock> heldAtOnce(int count) throws InterruptedException {
        List<HeldLock> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Peer peer = peer();
            String lockName = name + "/" + LOCKS.incrementAndGet();
            all.add(new HeldLock(peer, lockName, peer.lock(lockName).acquire()));
            store.letPass(lease.dividedBy(40).plusMillis(37));
        }
        store.letPass(lease.dividedBy(2));
        return all;
    }

    /** Who holds which lock. */
    record HeldLock(Peer peer, String lockName, LockHandle held) {}

    /** The last moment of which is known that the lock was held after it, however late this thread looks again. */
    final long waitUntilLost(LockHandle held) {
        long begin = System.nanoTime();
        long lookedAt = begin;
        long heldAfter = begin;
        while (held.isHeld()) {
            heldAfter = lookedAt;
            expect(heldAfter - begin < store.patience().toNanos(), "the hold ends", held.state());
            LockSupport.parkNanos(500_000);
            lookedAt = System.nanoTime();
        }
        return heldAfter;
    }

    /** A client whose network is hurt while it holds has lost its hold before another client is granted the lock. */
    final void expectLostBeforeAnotherIsGranted(int repeats, Consumer<Network> fault) throws Exception {
        Peer other = peer();
        List<Long> spares = new ArrayList<>();
        for (int left = repeats; left > 0; left -= AT_ONCE) {
            List<HeldLock> all = heldAtOnce(Math.min(left, AT_ONCE));
            if (store instanceof ServerFixture<?>) {
                spares.addAll(measured(all, other, fault));
            } else {
                for (HeldLock one : all) {
                    expectLostBeforeAnotherIsGranted(one, other, fault);
                }
            }
        }
        expectSpare(spares);
    }

    /** By how many milliseconds. */
    private List<Long> measured(List<HeldLock> all, Peer other, Consumer<Network> fault) throws Exception {
        List<CompletableFuture<Long>> grants = new ArrayList<>();
        List<Task<Long>> losses = new ArrayList<>();
        for (HeldLock one : all) {
            grants.add(other.lock(one.lockName).acquireAsync().thenApply(granted -> {
                long now = System.nanoTime();
                granted.release();
                return now;
            }));
            fault.accept(one.peer.network);
            losses.add(start(() -> waitUntilLost(one.held)));
        }
        List<Long> spares = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            long heldAfter = get(losses.get(i));
            long limit = recovery(other).plus(store.patience()).toMillis();
            spares.add(Math.floorDiv(grants.get(i).get(limit, TimeUnit.MILLISECONDS) - heldAfter, 1_000_000));
            all.get(i).peer.network.heal();
        }
        return spares;
    }

    private void expectLostBeforeAnotherIsGranted(HeldLock one, Peer other, Consumer<Network> fault) {
        fault.accept(one.peer.network);
        Duration step = lease.dividedBy(20);
        Duration bound = expiry(one.peer).plus(step);
        Duration passed = Duration.ZERO;
        Optional<LockHandle> next = Optional.empty();
        while (next.isEmpty()) {
            expect(passed.compareTo(bound) <= 0, "granted to another in the end", "busy after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
            next = other.lock(one.lockName).tryAcquire();
            State seen = one.held.state();
            expect(next.isEmpty() || seen == State.LOST, "LOST when another is granted", seen);
        }
        next.ifPresent(LockHandle::release);
        one.peer.network.heal();
    }

    /** No hold outlives what the store kept of it. */
    final void expectSpare(List<Long> spares) {
        if (!spares.isEmpty()) {
            Collections.sort(spares);
            report(
                    "spare",
                    "a hold of " + lease.toMillis() + " ms ended earlier than the lock was free by, in ms: " + spares);
            expect(spares.get(0) >= 0, "no hold outlives what the store kept of it", spares);
        }
    }
}
