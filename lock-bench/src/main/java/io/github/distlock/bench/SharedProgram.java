package io.github.distlock.bench;

import io.github.distlock.bench.SharedLibrary.Client;
import io.github.distlock.bench.SharedWork.Choice;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A JVM of {@link SharedLocks}. It runs what each line of its standard input says: library, work, threads and
 * milliseconds. It answers with the {@link Result}.
 */
final class SharedProgram {
    private SharedProgram() {}

    /** The waits of one thread or of several, and those of its writers once more. */
    record Acquires(Waits all, Waits writers) {
        Acquires() {
            this(new Waits(), new Waits());
        }

        void add(Acquires other) {
            all.add(other.all);
            writers.add(other.writers);
        }
    }

    /** What the threads of this JVM have done, in which time, and with how much CPU time. */
    record Result(Acquires acquires, double seconds, double cpuSeconds) {
        String format() {
            return String.join(
                    " ",
                    acquires.all().format(),
                    acquires.writers().format(),
                    Double.toString(seconds),
                    Double.toString(cpuSeconds));
        }

        static Result parse(String line) {
            String[] parts = line.split(" ", -1);
            return new Result(
                    new Acquires(Waits.parse(parts[0]), Waits.parse(parts[1])),
                    Double.parseDouble(parts[2]),
                    Double.parseDouble(parts[3]));
        }
    }

    /**
     * Runs the program until its standard input ends.
     *
     * @param args the URI of Redis, and the connect string of ZooKeeper
     * @throws Exception if an acquire or a release fails
     */
    public static void main(String[] args) throws Exception {
        Map<SharedLibrary, Client> clients = new EnumMap<>(SharedLibrary.class);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] parts = line.split(" ", -1);
            Client client = clients.computeIfAbsent(
                    SharedLibrary.valueOf(parts[0]), library -> library.connect(args[0], args[1]));
            SharedWork work = SharedWork.valueOf(parts[1]);
            Duration time = Duration.ofMillis(Long.parseLong(parts[3]));
            Result result = run(work, work.with(client), Integer.parseInt(parts[2]), time);
            System.out.println(result.format());
        }
    }

    private static Result run(SharedWork work, Choice choice, int threads, Duration time) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        double cpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        List<Future<Acquires>> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(pool.submit(() -> loop(work, choice, begun + time.toNanos())));
        }
        Acquires acquires = new Acquires();
        for (Future<Acquires> thread : running) {
            acquires.add(thread.get());
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        pool.shutdown();
        return new Result(acquires, seconds, ProcessCpu.seconds() - cpu);
    }

    private static Acquires loop(SharedWork work, Choice choice, long end) throws Exception {
        Acquires acquires = new Acquires();
        long now = System.nanoTime();
        while (now - end < 0) {
            boolean writes = work.isWriterNext();
            AutoCloseable held = (writes ? choice.writer() : choice.usual()).run();
            long waited = System.nanoTime() - now;
            acquires.all().add(waited);
            if (writes) {
                acquires.writers().add(waited);
            }
            held.close();
            now = System.nanoTime();
        }
        return acquires;
    }
}
