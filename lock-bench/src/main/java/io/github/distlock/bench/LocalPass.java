package io.github.distlock.bench;

import com.sun.management.ThreadMXBean;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Measures what the engine costs without a server: an acquire and a release by one thread, and local handoffs between
 * threads of one client.
 *
 * <p>The floors of a local handoff are a fair {@link ReentrantLock} and a fair {@link Semaphore} of the JDK. In both,
 * an acquire that waits also parks its thread, and a release wakes it. Such an acquire allocates 32 bytes, so fewer
 * bytes show how many acquires found the lock free. The contenders alternate round by round, so that noise affects all
 * of them. The program prints the first round by itself, since it pays for the start, and medians of the others. With
 * {@code java -Xint}, the CPU time shows how much code a handoff runs, with little noise. Times are in microseconds per
 * acquire and release. Arguments: threads (16), rounds (7), milliseconds per round (2000).
 */
public final class LocalPass {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final long nanos;
    private final int rounds;

    private LocalPass(int rounds, long millis) {
        this.rounds = rounds;
        this.nanos = Duration.ofMillis(millis).toNanos();
    }

    /** One thread's acquire and release, and by how many threads. */
    private record Work(int threads, Callable<?> cycle) {}

    private record Cost(double micros, double cpuMicros, double bytes) {}

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
        new LocalPass(rounds, millis).run(threads);
    }

    private void run(int threads) throws Exception {
        ReentrantLock lock = new ReentrantLock(true);
        Semaphore semaphore = new Semaphore(1, true);
        try (LockClient contended = LockClient.create(new NoServer());
                LockClient free = LockClient.create(new NoServer())) {
            DistributedLock handedOff = contended.lock("contended");
            DistributedLock alone = free.lock("alone");
            Map<String, Work> works = new LinkedHashMap<>();
            works.put("fair ReentrantLock", new Work(threads, () -> cycle(lock)));
            works.put("fair Semaphore", new Work(threads, () -> cycle(semaphore)));
            works.put("local handoff", new Work(threads, () -> cycle(handedOff)));
            works.put("one thread, a free lock", new Work(1, () -> cycle(alone)));
            Map<String, List<Cost>> costs = new LinkedHashMap<>();
            for (int round = 0; round < rounds; round++) {
                for (Map.Entry<String, Work> each : works.entrySet()) {
                    costs.computeIfAbsent(each.getKey(), any -> new ArrayList<>())
                            .add(measure(each.getValue()));
                }
            }
            System.out.printf("%d threads, medians of %d rounds%n", threads, rounds - 1);
            System.out.printf("%-28s %10s %10s %10s %10s%n", "", "time", "CPU", "bytes", "at first");
            costs.forEach(LocalPass::print);
        }
    }

    private static void print(String what, List<Cost> costs) {
        Cost first = costs.get(0);
        List<Cost> others = costs.subList(Math.min(1, costs.size() - 1), costs.size());
        System.out.printf(
                "%-28s %10.2f %10.2f %,10.0f %10.2f%n",
                what,
                median(others.stream().map(Cost::micros).toList()),
                median(others.stream().map(Cost::cpuMicros).toList()),
                median(others.stream().map(Cost::bytes).toList()),
                first.micros());
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static Object cycle(ReentrantLock lock) {
        lock.lock();
        try {
            return lock;
        } finally {
            lock.unlock();
        }
    }

    private static Object cycle(Semaphore semaphore) throws InterruptedException {
        semaphore.acquire();
        try {
            return semaphore;
        } finally {
            semaphore.release();
        }
    }

    private static Object cycle(DistributedLock lock) throws InterruptedException {
        try (LockHandle held = lock.acquire()) {
            return held;
        }
    }

    private Cost measure(Work work) throws Exception {
        LongAdder cycles = new LongAdder();
        LongAdder bytes = new LongAdder();
        ExecutorService pool = Executors.newFixedThreadPool(work.threads());
        double cpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < work.threads(); i++) {
            running.add(pool.submit(() -> {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                while (System.nanoTime() - begun < nanos) {
                    Object unused = work.cycle().call();
                    cycles.increment();
                }
                bytes.add(THREADS.getCurrentThreadAllocatedBytes() - before);
                return cycles;
            }));
        }
        for (Future<?> worker : running) {
            Object unused = worker.get();
        }
        double all = cycles.sum();
        double micros = (System.nanoTime() - begun) / 1e3;
        double cpuMicros = (ProcessCpu.seconds() - cpu) * 1e6;
        pool.shutdown();
        return new Cost(micros / all, cpuMicros / all, bytes.sum() / all);
    }
}
