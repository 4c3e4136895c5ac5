package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures a store quickly: what one application can expect of it. Uses locks of random names, and releases them. */
@Command(
        name = "bench",
        description = "Measures how fast this machine acquires and releases locks of the store.",
        mixinStandardHelpOptions = true)
final class BenchVerb implements Callable<Integer> {
    private static final double MILLIS = 1e6;
    private static final int MOST_THREADS = 1_000;

    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Option(
            names = "--time",
            paramLabel = "TIME",
            defaultValue = "3s",
            converter = DurationOption.class,
            description = "How long to measure each case, after a third of this time to warm up; ${DEFAULT-VALUE} by"
                    + " default.")
    Duration time = Duration.ZERO;

    @Option(
            names = "--threads",
            paramLabel = "NUMBER",
            defaultValue = "8",
            description = "How many threads; ${DEFAULT-VALUE} by default.")
    int threads;

    private final String prefix = "distlock-bench-" + UUID.randomUUID() + "/";

    @Override
    public Integer call() throws InterruptedException {
        Failure.requireRange("--threads", threads, 2, MOST_THREADS);
        Failure.requirePositive("--time", time);
        List<Measured> all = new ArrayList<>();
        try (LockClient one = store.client();
                LockClient other = store.client()) {
            // Fails at once without a store, where an acquire would wait.
            var unused = one.inspector().inspect(prefix + "free");
            all.add(measure("a free lock, 1 thread", 1, thread -> one, thread -> "free"));
            all.add(measure("free locks, " + threads + " threads", threads, thread -> one, thread -> "free" + thread));
            all.add(measure(
                    "one lock, " + threads + " threads of one client", threads, thread -> one, thread -> "one"));
            all.add(measure(
                    "one lock, " + threads + " threads of two clients",
                    threads,
                    thread -> thread % 2 == 0 ? one : other,
                    thread -> "two"));
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("CASE", "PER SECOND", "ACQUIRE P50", "P99", "MAX"));
        all.forEach(each -> rows.add(each.row()));
        output.print(Map.of("cases", all.stream().map(Measured::json).toList()), Output.table(rows));
        return 0;
    }

    private Measured measure(String what, int workers, IntFunction<LockClient> client, IntFunction<String> name)
            throws InterruptedException {
        run(workers, client, name, time.dividedBy(3));
        long[] sorted = run(workers, client, name, time);
        return Measured.of(what, sorted.length / (time.toNanos() / 1e9), sorted);
    }

    private long[] run(int workers, IntFunction<LockClient> client, IntFunction<String> name, Duration length)
            throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(workers);
        try {
            long end = System.nanoTime() + length.toNanos();
            List<Future<long[]>> all = new ArrayList<>();
            for (int i = 0; i < workers; i++) {
                LockClient locks = client.apply(i);
                String lock = prefix + name.apply(i);
                all.add(pool.submit(() -> acquires(locks, lock, end)));
            }
            long[] sorted = new long[0];
            for (Future<long[]> each : all) {
                sorted = LongStream.concat(Arrays.stream(sorted), Arrays.stream(takenBy(each)))
                        .toArray();
            }
            Arrays.sort(sorted);
            return sorted;
        } finally {
            pool.shutdownNow();
        }
    }

    private static long[] takenBy(Future<long[]> worker) throws InterruptedException {
        try {
            return worker.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e);
        }
    }

    private static long[] acquires(LockClient locks, String lock, long end) throws InterruptedException {
        LongStream.Builder taken = LongStream.builder();
        for (long begin = System.nanoTime(); begin - end < 0; begin = System.nanoTime()) {
            LockHandle hold = locks.lock(lock).acquire();
            taken.add(System.nanoTime() - begin);
            hold.release();
        }
        return taken.build().toArray();
    }

    /** The rate of one case, and how long its acquires took. */
    private record Measured(String what, double perSecond, double p50, double p99, double max) {
        static Measured of(String what, double perSecond, long[] sorted) {
            return new Measured(what, perSecond, millis(sorted, 0.5), millis(sorted, 0.99), millis(sorted, 1));
        }

        private static double millis(long[] sorted, double share) {
            int index = (int) Math.min(sorted.length - 1L, (long) (sorted.length * share));
            return index < 0 ? 0 : sorted[index] / MILLIS;
        }

        List<String> row() {
            return List.of(what, String.format(Locale.ROOT, "%,.0f", perSecond), text(p50), text(p99), text(max));
        }

        private static String text(double millis) {
            return String.format(Locale.ROOT, "%.2f ms", millis);
        }

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("case", what);
            json.put("perSecond", Math.round(perSecond));
            json.put("acquireMillisP50", p50);
            json.put("acquireMillisP99", p99);
            json.put("acquireMillisMax", max);
            return json;
        }
    }
}
