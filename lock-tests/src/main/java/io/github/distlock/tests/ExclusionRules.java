package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Nobody holds a lock beside another. */
abstract class ExclusionRules extends Rules {

    /** What the lock protects: a counter that loses an update when two are at work at once. */
    private static final class Counter {
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicInteger overlaps = new AtomicInteger();
        private volatile int value;

        void add(LockHandle held) {
            if (inside.incrementAndGet() > 1 && held.isHeld()) {
                overlaps.incrementAndGet();
            }
            int seen = value;
            LockSupport.parkNanos(3_000_000);
            value = seen + 1;
            inside.decrementAndGet();
        }
    }

    @Test
    void s1_1_holdsOfThreadsOfOneClientNeverOverlap() {
        Peer a = peer();
        hammer(List.of(a.lock(name), a.lock(name), a.lock(name), a.lock(name)), 50);
    }

    @Test
    void s1_2_holdsOfClientsNeverOverlap() {
        hammer(List.of(peer().lock(name), peer().lock(name), peer().lock(name)), 20);
    }

    @Test
    void s1_3_holdsOfManyThreadsOfManyClientsNeverOverlap() {
        Peer a = peer();
        Peer b = peer();
        hammer(List.of(a.lock(name), a.lock(name), a.lock(name), b.lock(name), b.lock(name), b.lock(name)), 20);
    }

    private void hammer(List<DistributedLock> locks, int times) {
        Counter counter = new Counter();
        CountDownLatch together = new CountDownLatch(locks.size());
        List<Task<Integer>> workers = new ArrayList<>();
        for (DistributedLock lock : locks) {
            workers.add(start(() -> {
                together.countDown();
                together.await();
                for (int i = 0; i < times; i++) {
                    lock.runLocked(counter::add);
                }
                return times;
            }));
        }
        workers.forEach(this::get);
        int expected = locks.size() * times;
        expect(
                counter.overlaps.get() == 0 && counter.value == expected,
                "never two holders, and a counter of " + expected,
                counter.overlaps + " overlaps, and a counter of " + counter.value);
    }

    @Test
    void s1_4_asynchronousHoldsNeverOverlap() throws Exception {
        Counter counter = new Counter();
        Peer a = peer();
        Peer b = peer();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        CompletableFuture<Void> asked = new CompletableFuture<>();
        for (int i = 0; i < 20; i++) {
            all.add((i % 2 == 0 ? a : b)
                    .lock(name)
                    .acquireAsync()
                    .thenAcceptAsync(
                            held -> {
                                asked.join();
                                counter.add(held);
                                held.close();
                            },
                            work -> start(Executors.callable(work, true))));
        }
        asked.complete(null);
        get(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).thenApply(done -> true), "all get the lock");
        expect(
                counter.overlaps.get() == 0 && counter.value == 20,
                "never two holders, and a counter of 20",
                counter.overlaps + " overlaps, and a counter of " + counter.value);
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
