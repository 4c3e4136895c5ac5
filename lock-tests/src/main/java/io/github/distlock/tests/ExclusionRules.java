package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Nobody holds a lock beside another. */
abstract class ExclusionRules extends Rules {

    /** What the lock protects: a counter that loses an update when two are at work at once. */
    private final class Counter {
        private final List<Peer> users;
        private final Set<Peer> holders = ConcurrentHashMap.newKeySet();
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicInteger overlaps = new AtomicInteger();
        private volatile int value;

        Counter(Peer... users) {
            this.users = List.of(users);
        }

        /** Takes until the store has answered every client: whoever is granted the lock beside this hold, is so during it. */
        void add(Peer holder, LockHandle held) {
            if (inside.incrementAndGet() > 1 && held.isHeld()) {
                overlaps.incrementAndGet();
            }
            holders.add(holder);
            int seen = value;
            Waiting.until(
                    soon(),
                    () -> users.stream().allMatch(user -> holders.contains(user) || user.faults.toldBusy() > 0));
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
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Peer user = i % 2 == 0 ? a : b;
            all.add(user.lock(name)
                    .acquireAsync()
                    .thenAcceptAsync(
                            held -> {
                                counter.add(user, held);
                                held.close();
                            },
                            work -> start(Executors.callable(work, true))));
        }
        get(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).thenApply(done -> true), "all get the lock");
        counter.expectTotal(20);
    }

    @Test
    void s1_5_aHeldLockIsBusyForAnotherClient() throws Exception {
        Peer b = peer();
        try (LockHandle held = peer().lock(name).acquire()) {
            expectBusy(b, "while it is held");
            expect(
                    b.lock(name).tryAcquire(brief()).isEmpty(),
                    "busy for another client that waits for a while",
                    "granted");
            expectHeld(held, "after another has asked");
        }
        expectFree("after its release");
    }

    @Test
    void s1_6_aHeldLockIsBusyForItsOwnThread() throws Exception {
        Peer a = peer();
        try (LockHandle held = a.lock(name).acquire()) {
            expect(a.lock(name).tryAcquire().isEmpty(), "busy for the holder: not reentrant", "granted");
            expect(a.lock(name).tryAcquire(brief()).isEmpty(), "busy for the holder: not reentrant", "granted");
            expectHeld(held, "after its holder has asked");
        }
    }

    @Test
    void s1_7_otherNamesAreOtherLocks() throws Exception {
        Peer b = peer();
        try (LockHandle held = peer().lock(name).acquire();
                LockHandle other = granted(b.lock(name + "x").tryAcquire(), "a lock of another name is free")) {
            expectHeld(held, "beside a lock of another name");
            expectHeld(other, "beside a lock of another name");
        }
    }
}
