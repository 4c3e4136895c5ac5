package io.github.distlock.bench;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Measures what the engine costs: an acquire and a release by one thread, and local handoffs between threads of one
 * client.
 *
 * <p>The floor of a local handoff is a fair {@link ReentrantLock} of the JDK, in which each acquire also parks a thread
 * and wakes it. The contenders alternate round by round, so that noise affects all of them. The program prints medians.
 * Arguments: threads (16), rounds (7), milliseconds per round (2000).
 */
public final class LocalPass {
    private final int threads;
    private final long nanos;

    private LocalPass(int threads, long millis) {
        this.threads = threads;
        this.nanos = Duration.ofMillis(millis).toNanos();
    }

    /**
     * Runs the benchmark and prints its figures.
     *
     * @param args see the class comment
     * @throws Exception if the benchmark fails
     */
    public static void main(String[] args) throws Exception {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 16;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
        long millis = args.length > 2 ? Long.parseLong(args[2]) : 2000;
        new LocalPass(threads, millis).run(rounds);
    }

    private void run(int rounds) throws Exception {
        ReentrantLock floor = new ReentrantLock(true);
        try (LockClient client = LockClient.create(new InMemoryStore().connect())) {
            DistributedLock lock = client.lock("contended");
            DistributedLock fair = client.lock("fair", LockOptions.defaults().fair());
            DistributedLock alone = client.lock("alone");
            List<Double> floors = new ArrayList<>();
            List<Double> passes = new ArrayList<>();
            List<Double> fairs = new ArrayList<>();
            List<Double> alones = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                floors.add(rate(threads, () -> {
                    floor.lock();
                    try {
                        return floor;
                    } finally {
                        floor.unlock();
                    }
                }));
                passes.add(rate(threads, () -> cycle(lock)));
                fairs.add(rate(threads, () -> cycle(fair)));
                alones.add(rate(1, () -> cycle(alone)));
            }
            double base = median(floors);
            System.out.printf("%d threads, %d rounds, medians%n", threads, rounds);
            System.out.printf("%-40s %,12.0f/s%n", "fair ReentrantLock (floor)", base);
            print("local pass", median(passes), base);
            print("fair, through the store in memory", median(fairs), base);
            System.out.printf("%-40s %,12.0f/s  %,.0f ns%n", "one thread alone", median(alones), 1e9 / median(alones));
        }
    }

    private static void print(String what, double rate, double base) {
        System.out.printf("%-40s %,12.0f/s  x floor %.2f%n", what, rate, rate / base);
    }

    private static LockHandle cycle(DistributedLock lock) throws InterruptedException {
        try (LockHandle held = lock.acquire()) {
            return held;
        }
    }

    private double rate(int workers, Callable<?> cycle) throws Exception {
        LongAdder cycles = new LongAdder();
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        long begun = System.nanoTime();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            running.add(pool.submit(() -> {
                while (System.nanoTime() - begun < nanos) {
                    Object unused = cycle.call();
                    cycles.increment();
                }
                return cycles;
            }));
        }
        for (Future<?> worker : running) {
            Object unused = worker.get();
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        pool.shutdown();
        return cycles.sum() / seconds;
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
