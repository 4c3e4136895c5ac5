package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * Heap, threads and store before and after very many acquires, over a million names, and very many abandoned attempts: half
 * of them single tries, half asynchronous acquires that are cancelled. Exits with 1 when anything is left. Arguments: cycles
 * (10,000,000), abandoned attempts (1,000,000).
 */
public final class Soak {
    private static final int NAMES = 1_000_000;
    private static final long HEAP_NOISE = 4 * 1024 * 1024;

    private final InMemoryStore store = new InMemoryStore();
    private boolean clean = true;

    private Soak() {}

    public static void main(String[] args) throws Exception {
        long cycles = args.length > 0 ? Long.parseLong(args[0]) : 10_000_000;
        long abandoned = args.length > 1 ? Long.parseLong(args[1]) : 1_000_000;
        Soak soak = new Soak();
        soak.run(cycles, abandoned);
        System.exit(soak.clean ? 0 : 1);
    }

    private void run(long cycles, long abandoned) throws Exception {
        try (LockClient client = LockClient.create(store.connect());
                LockClient other = LockClient.create(store.connect())) {
            cycle(client, 200_000);
            abandon(client, other, 20_000);
            long heap = settledHeap();
            long threads = threads();
            System.out.printf("before: heap %,d KiB, %d threads%n", heap / 1024, threads);
            long begun = System.nanoTime();
            cycle(client, cycles);
            report(cycles + " cycles", begun, cycles, heap, threads);
            begun = System.nanoTime();
            abandon(client, other, abandoned);
            report(abandoned + " abandoned attempts", begun, abandoned, heap, threads);
        }
        long left = threads();
        clean &= left == 0;
        System.out.printf("closed: %d threads%n", left);
    }

    private static void cycle(LockClient client, long cycles) throws InterruptedException {
        for (long i = 0; i < cycles; i++) {
            client.lock("name" + i % NAMES).acquire().close();
        }
    }

    private static void abandon(LockClient client, LockClient holder, long attempts) throws InterruptedException {
        DistributedLock lock = client.lock("held");
        try (LockHandle held = holder.lock("held").acquire()) {
            for (long i = 0; i < attempts / 2; i++) {
                if (lock.tryAcquire().isPresent() || !held.isHeld()) {
                    throw new AssertionError("two holders");
                }
            }
            for (long i = 0; i < attempts / 2; i++) {
                CompletableFuture<LockHandle> future = lock.acquireAsync();
                future.cancel(false);
            }
        }
    }

    private void report(String what, long begun, long count, long heapBefore, long threadsBefore) {
        long each = (System.nanoTime() - begun) / count;
        long heap = settledHeap();
        boolean as = heap < heapBefore + HEAP_NOISE && threads() <= threadsBefore && store.size() == 0;
        clean &= as;
        System.out.printf(
                "%s, %,d ns each: heap %,d KiB, %d threads, %d entries in the store: %s%n",
                what, each, heap / 1024, threads(), store.size(), as ? "as before" : "LEFT BEHIND");
    }

    /** Idle threads end after a second, and what was abandoned is cleaned up in the background. */
    private static long settledHeap() {
        for (int i = 0; i < 4; i++) {
            LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-"))
                .count();
    }
}
