package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestReporter;

/** What the rules of faults share: whether a fixture can cause a fault, and bounds for a store that was hurt. */
abstract class FaultRules extends Rules {
    /** The key of a report entry that names what a fixture cannot cause. */
    static final String NOT_CAUSED = "not caused";

    /** How often a hold's spare is measured. */
    static final int REPEATS = Integer.getInteger("lock.loss.repeats", 3);

    /** What is done without a server, between the engine and the backend. */
    private static final Set<StoreFault> ALWAYS = Collections.unmodifiableSet(EnumSet.of(
            StoreFault.HALF_OPEN, StoreFault.REQUEST_DROPPED, StoreFault.REPLY_DROPPED, StoreFault.REPLY_DELAYED));

    private TestReporter reporter;

    @BeforeEach
    final void hear(TestReporter testReporter) {
        reporter = testReporter;
    }

    /** Whether the fixture causes it; otherwise that is reported, and the rule goes on with what comes nearest. */
    final boolean causes(StoreFault fault) {
        if (store instanceof ServerFixture || ALWAYS.contains(fault)) {
            return true;
        }
        report(NOT_CAUSED, fault + " (" + fault.description() + ")");
        return false;
    }

    final void report(String key, String what) {
        String line = rule() + " -- " + store.getClass().getSimpleName() + ": " + key + ": " + what;
        System.out.println(line);
        reporter.publishEntry(key, line);
    }

    // Time that passes by itself, or is moved

    /** Lets time pass until it happens. */
    final void within(Duration bound, String expected, Callable<Boolean> condition) throws Exception {
        Duration step = bound.dividedBy(40);
        Duration passed = Duration.ZERO;
        while (!condition.call()) {
            expect(passed.compareTo(bound) <= 0, expected + ", within " + bound, "not after " + passed);
            store.letPass(step);
            passed = passed.plus(step);
        }
    }

    /** A hold that a client gets within that time. */
    final LockHandle granted(Peer peer, String lockName, Duration bound) throws Exception {
        Task<LockHandle> acquire = start(peer.lock(lockName)::acquire);
        within(bound, "another acquire is granted", () -> happens(Duration.ofMillis(20), acquire::isDone));
        return get(acquire);
    }

    /** How long a hold or place that was left behind may stay, with what a busy machine adds. */
    final Duration recovery(Peer peer) {
        return expiry(peer).plus(soon());
    }

    /** As {@link #expectFree(String)}, after a recovery. */
    final void expectFreeInTheEnd(Peer peer, String when) throws Exception {
        granted(peer(), name, recovery(peer)).close();
        within(
                recovery(peer),
                "nothing is left in the store " + when,
                () -> store.leftovers().isEmpty());
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

    /** Part of the lease, another one each time: somewhere between two renewals. */
    final void letSomePass(int repeat) {
        store.letPass(lease.dividedBy(2).plusMillis(37L * repeat % 300));
    }

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
        List<Long> spares = new ArrayList<>();
        Peer other = peer();
        for (int i = 0; i < repeats; i++) {
            String lockName = name + "/" + i;
            Peer a = peer();
            LockHandle held = a.lock(lockName).acquire();
            letSomePass(i);
            if (store instanceof ServerFixture) {
                CompletableFuture<Long> grantedAt = other.lock(lockName)
                        .acquireAsync()
                        .thenApply(granted -> {
                            long now = System.nanoTime();
                            granted.release();
                            return now;
                        });
                fault.accept(a.network);
                long heldAfter = waitUntilLost(held);
                long limit = recovery(a).plus(store.patience()).toMillis();
                spares.add((grantedAt.get(limit, TimeUnit.MILLISECONDS) - heldAfter) / 1_000_000);
            } else {
                fault.accept(a.network);
                Duration step = lease.dividedBy(20);
                within(expiry(a).plus(step), "granted to another in the end", () -> {
                    Optional<LockHandle> next = other.lock(lockName).tryAcquire();
                    State seen = held.state();
                    expect(next.isEmpty() || seen == State.LOST, "LOST when another is granted", seen);
                    next.ifPresent(LockHandle::release);
                    return next.isPresent();
                });
            }
            a.network.heal();
        }
        expectSpare(spares);
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
