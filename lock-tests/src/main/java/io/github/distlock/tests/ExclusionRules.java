package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.waiting.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Rules S1: holds of one lock never overlap. */
abstract class ExclusionRules extends Rules {

    /** What the lock protects: a counter that loses an update if two holders add to it at once. */
    private final class Counter {
        private final List<Peer> users;
        private final Set<Peer> holders = ConcurrentHashMap.newKeySet();
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicInteger overlaps = new AtomicInteger();
        private volatile int value;

        Counter(Peer... users) {
            this.users = List.of(users);
        }

        /** Adds one. Takes until the store has answered all clients, so that a second grant comes during this hold. */
        void add(Peer holder, LockHandle held) {
            if (inside.incrementAndGet() > 1 && held.isHeld()) {
                overlaps.incrementAndGet();
            }
            holders.add(holder);
            int seen = value;
            Waiting.until(
                    soon(),
                    () -> users.stream().allMatch(user -> holders.contains(user) || user.faults.answeredBusy() > 0));
            LockSupport.parkNanos(3_000_000);
            value = seen + 1;
            inside.decrementAndGet();
        }

        void expectTotal(int added) {
            expect(
                    overlaps.get() == 0 && value == added,
                    "never two holders, and a counter of " + added,
                    overlaps + " overlaps, and a counter of " + value);
        }
    }

    @Test
    void s1_1_holdsOfThreadsOfOneClientNeverOverlap() {
        hammer(4, 50, peer());
    }

    @Test
    void s1_2_holdsOfClientsNeverOverlap() {
        hammer(1, 20, peer(), peer(), peer());
    }

    @Test
    void s1_3_holdsOfManyThreadsOfManyClientsNeverOverlap() {
        hammer(3, 20, peer(), peer());
    }

    private void hammer(int threads, int times, Peer... users) {
        Counter counter = new Counter(users);
        CountDownLatch together = new CountDownLatch(threads * users.length);
        List<Task<Integer>> workers = new ArrayList<>();

        for (Peer user : users) {
            DistributedLock lock = user.lock(name);
            for (int thread = 0; thread < threads; thread++) {
                workers.add(start(() -> {
                    together.countDown();
                    together.await();
                    for (int i = 0; i < times; i++) {
                        lock.runLocked(held -> counter.add(user, held));
                    }
                    return times;
                }));
            }
        }

        workers.forEach(this::get);
        counter.expectTotal(workers.size() * times);
    }

    @Test
    void s1_4_asynchronousHoldsNeverOverlap() throws Exception {
        Peer a = peer();
        Peer b = peer();
        Counter counter = new Counter(a, b);
        List<CompletableFuture<Boolean>> all = new ArrayList<>();

        for (int i = 0; i < 20; i++) {
            Peer user = i % 2 == 0 ? a : b;
            all.add(user.lock(name)
                    .acquireAsync()
                    .thenApplyAsync(
                            held -> {
                                counter.add(user, held);
                                held.close();
                                return true;
                            },
                            work -> start(Executors.callable(work, true))));
        }

        for (CompletableFuture<Boolean> each : all) {
            get(each, "all get the lock");
        }
        counter.expectTotal(20);
    }

    @Test
    void s1_5_aHeldLockIsBusyForAnotherClient() throws Exception {
        Peer b = peer();
        LockHandle held = acquire(peer());

        Optional<LockHandle> tried = b.lock(name).tryAcquire();
        Optional<LockHandle> waited = b.lock(name).tryAcquire(brief());

        expect(tried.isEmpty() && waited.isEmpty(), "busy for another client while it is held", "granted");
        expectHeld(held, "after another client has asked");
        held.close();
        expectFree("after the release");
    }

    @Test
    void s1_6_aHeldLockIsBusyForItsOwnThread() throws Exception {
        Peer a = peer();
        LockHandle held = acquire(a);

        Optional<LockHandle> tried = a.lock(name).tryAcquire();
        Optional<LockHandle> waited = a.lock(name).tryAcquire(brief());

        expect(tried.isEmpty() && waited.isEmpty(), "busy for the holder's own thread", "granted");
        expectHeld(held, "after its holder has asked");
    }

    @Test
    void s1_7_differentNamesAreDifferentLocks() {
        LockHandle held = acquire(peer());

        Optional<LockHandle> other = peer().lock(name + "x").tryAcquire();

        expectHeld(granted(other, "a lock of another name is free"), "beside a lock of another name");
        expectHeld(held, "beside a lock of another name");
    }
}
