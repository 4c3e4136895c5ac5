package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Compares heap, threads, sockets and store before and after very many acquires of many names, and after very many
 * abandoned attempts. Half of the abandoned attempts are single tries, and half are asynchronous acquires that the
 * program cancels. Exits with 1 if anything is left. Arguments: {@code memory}, {@code redis} or {@code zookeeper};
 * cycles; abandoned attempts.
 */
public final class Soak {
    private static final long HEAP_NOISE = 4 * 1024 * 1024;
    private static final long LONGEST_SETTLING = Duration.ofSeconds(40).toNanos();
    private static final int CLIENTS = 2;

    private final SoakedStore store;
    private final long othersSockets = sockets();
    private boolean clean = true;

    private Soak(SoakedStore store) {
        this.store = store;
    }

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the benchmark fails
     */
    public static void main(String[] args) throws Exception {
        String kind = args.length > 0 ? args[0] : "memory";
        try (SoakedStore store = SoakedStore.of(kind)) {
            long cycles = args.length > 1 ? Long.parseLong(args[1]) : store.cycles();
            long abandoned = args.length > 2 ? Long.parseLong(args[2]) : store.cycles() / 10;
            Soak soak = new Soak(store);
            soak.run(cycles, abandoned);
            System.exit(soak.clean ? 0 : 1);
        }
    }

    private void run(long cycles, long abandoned) throws Exception {
        try (LockClient client = LockClient.create(store.newBackend());
                LockClient other = LockClient.create(store.newBackend())) {
            cycle(client, cycles / 50);
            abandon(client, other, abandoned / 50);
            Footprint before = footprint();
            System.out.println("before: " + before);
            long begun = System.nanoTime();
            cycle(client, cycles);
            report(cycles + " cycles", begun, cycles, before);
            begun = System.nanoTime();
            abandon(client, other, abandoned);
            report(abandoned + " abandoned attempts", begun, abandoned, before);
        }
        long left = threads();
        clean &= left == 0;
        System.out.printf("closed: %d threads%n", left);
    }

    private void cycle(LockClient client, long cycles) throws InterruptedException {
        for (long i = 0; i < cycles; i++) {
            client.lock("name" + i % store.names()).acquire().close();
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

    private void report(String what, long begun, long count, Footprint before) {
        long each = (System.nanoTime() - begun) / count;
        Footprint after = settledFootprint(before);
        boolean asBefore = isAsBefore(after, before);
        clean &= asBefore;
        System.out.printf("%s, %,d ns each: %s: %s%n", what, each, after, asBefore ? "as before" : "LEFT BEHIND");
    }

    /** Returns whether nothing is left. Pools may have grown within their bounds. */
    private boolean isAsBefore(Footprint after, Footprint before) {
        long mostSockets = othersSockets + CLIENTS * store.idleConnections();
        return after.heap < before.heap + HEAP_NOISE
                && after.threads <= before.threads
                && after.sockets <= Math.max(before.sockets, mostSockets)
                && after.entries <= before.entries;
    }

    /** The resources of this process, and the entries in the store. */
    private record Footprint(long heap, long threads, long sockets, long entries) {
        @Override
        public String toString() {
            return String.format(
                    "heap %,d KiB, %d threads, %d sockets, %d entries in the store",
                    heap / 1024, threads, sockets, entries);
        }
    }

    /** Measures until nothing is left or 40 s have passed. Clients keep idle connections for half a minute. */
    private Footprint settledFootprint(Footprint before) {
        long begun = System.nanoTime();
        Footprint after = footprint();
        while (!isAsBefore(after, before) && System.nanoTime() - begun < LONGEST_SETTLING) {
            after = footprint();
        }
        return after;
    }

    private Footprint footprint() {
        return new Footprint(settledHeap(), threads(), sockets(), store.entries());
    }

    private static long sockets() {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(Soak::isSocket).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Returns the used heap after 4 s. By then, idle threads have ended, and clients have cleaned up in the background.
     */
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
