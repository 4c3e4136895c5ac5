package io.github.distlock.bench;

import io.github.distlock.LockLostException;
import io.github.distlock.bench.Peer.Client;
import io.github.distlock.bench.Peer.Servers;
import io.github.distlock.bench.Work.Choice;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/**
 * A JVM of {@link Benchmark}, for one peer. It executes each line of its standard input, and answers with a line:
 *
 * <ul>
 *   <li>{@code run}, a {@link Work}, threads and milliseconds: with the {@link Result}
 *   <li>{@code acquire} of another lock: with the time at which that was done, which all processes of a machine share
 *   <li>{@code release} of that lock: with the time at which that began
 *   <li>{@code hold} and a number of locks: with the milliseconds until this JVM holds them all
 *   <li>{@code wait} and a number of waiters for a lock of {@code hold}: with the number
 *   <li>{@code idle} and milliseconds: with what this JVM has spent in that time
 *   <li>{@code end}: with nothing; it closes its clients, and ends
 * </ul>
 */
final class PeerProgram {
    private final List<Client> clients;
    private final CriticalSection section;
    private final Footprint unconnected;
    private final Map<String, Choice> choices = new HashMap<>();
    private final List<CompletableFuture<?>> waits = new ArrayList<>();
    private final List<AutoCloseable> held = new ArrayList<>();
    private AutoCloseable taken = () -> {};

    private PeerProgram(List<Client> clients, CriticalSection section, Footprint unconnected) {
        this.clients = clients;
        this.section = section;
        this.unconnected = unconnected;
    }

    /**
     * What the threads have done.
     *
     * @param acquires how many of each thread
     * @param overlaps how often a thread found more holds than the lock allows
     * @param losses how many holds were lost
     */
    record Result(Waits waits, List<Long> acquires, long overlaps, long losses, double seconds, double cpuSeconds) {
        String format() {
            return String.join(
                    " ",
                    waits.format(),
                    acquires.stream().map(String::valueOf).collect(Collectors.joining(",")),
                    Long.toString(overlaps),
                    Long.toString(losses),
                    Double.toString(seconds),
                    Double.toString(cpuSeconds));
        }

        static Result parse(String line) {
            String[] parts = line.split(" ", -1);
            List<Long> acquires = new ArrayList<>();
            for (String each : parts[1].split(",", -1)) {
                acquires.add(Long.parseLong(each));
            }
            return new Result(
                    Waits.parse(parts[0]),
                    acquires,
                    Long.parseLong(parts[2]),
                    Long.parseLong(parts[3]),
                    Double.parseDouble(parts[4]),
                    Double.parseDouble(parts[5]));
        }
    }

    /** The threads of this JVM, without those that only wait, and its heap after a collection. */
    private record Footprint(int threads, double heapMebibytes) {
        static Footprint read() {
            System.gc();
            long bytes =
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            long threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> !thread.getName().equals(Client.WAITER))
                    .count();
            return new Footprint((int) threads, bytes / 1048576.0);
        }
    }

    private record Loop(Waits waits, long overlaps, long losses) {}

    /**
     * Runs the program until it reads {@code end}, or its standard input ends.
     *
     * @param args the peer, the file of the critical section, the number of this JVM, how many clients it has, and the
     *     addresses of the servers
     * @throws Exception if an acquire or a release fails
     */
    public static void main(String[] args) throws Exception {
        Footprint unconnected = Footprint.read();
        Servers servers = Servers.parse(List.of(args).subList(4, args.length));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[3]); i++) {
            clients.add(Peer.valueOf(args[0]).connect(servers));
        }
        CriticalSection section = new CriticalSection(Path.of(args[1]), Integer.parseInt(args[2]));
        PeerProgram program = new PeerProgram(clients, section, unconnected);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("end"); line = input.readLine()) {
            System.out.println(program.answer(line.split(" ", -1)));
        }
        clients.forEach(Client::close);
        System.exit(0); // Threads that wait may still do so.
    }

    private String answer(String[] words) throws Exception {
        return switch (words[0]) {
            case "acquire" -> {
                taken = choices.computeIfAbsent(
                                "handed", name -> choice(clients.get(0).lock(name)))
                        .usual()
                        .run();
                yield Long.toString(System.nanoTime());
            }
            case "release" -> {
                long called = System.nanoTime();
                taken.close();
                yield Long.toString(called);
            }
            case "hold" -> hold(Integer.parseInt(words[1]));
            case "wait" -> {
                for (int i = 0; i < Integer.parseInt(words[1]); i++) {
                    waits.add(clients.get(i % clients.size()).waiting(heldName(0)));
                }
                yield words[1];
            }
            case "idle" -> idle(Long.parseLong(words[1]));
            default -> {
                Duration time = Duration.ofMillis(Long.parseLong(words[3]));
                yield run(Work.valueOf(words[1]), Integer.parseInt(words[2]), time)
                        .format();
            }
        };
    }

    private static Choice choice(Acquire only) {
        return new Choice(only, only);
    }

    private static String heldName(int number) {
        return "held" + number;
    }

    private String hold(int count) throws Exception {
        long begun = System.nanoTime();
        for (int i = 0; i < count; i++) {
            held.add(clients.get(i % clients.size()).lock(heldName(i)).run());
        }
        return Double.toString((System.nanoTime() - begun) / 1e6);
    }

    /** Returns the CPU time, the threads and the heap of the clients and their holds, and how many waits have ended. */
    private String idle(long millis) throws InterruptedException {
        Footprint now = Footprint.read();
        double cpu = ProcessCpu.seconds();
        Thread.sleep(millis);
        return String.join(
                " ",
                Double.toString(ProcessCpu.seconds() - cpu),
                Integer.toString(now.threads() - unconnected.threads()),
                Double.toString(now.heapMebibytes() - unconnected.heapMebibytes()),
                Long.toString(waits.stream().filter(CompletableFuture::isDone).count()));
    }

    private Result run(Work work, int threads, Duration time) throws Exception {
        List<Choice> used = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int thread = i;
            used.add(choices.computeIfAbsent(work + " of thread " + i, any -> {
                return work.choice(clients.get(thread % clients.size()), thread);
            }));
        }
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        double cpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        List<Future<Loop>> running = new ArrayList<>();
        for (Choice choice : used) {
            running.add(pool.submit(() -> loop(work, choice, begun + time.toNanos())));
        }
        Waits all = new Waits();
        List<Long> acquires = new ArrayList<>();
        long overlaps = 0;
        long losses = 0;
        for (Future<Loop> thread : running) {
            Loop loop = thread.get();
            all.add(loop.waits());
            acquires.add(loop.waits().count());
            overlaps += loop.overlaps();
            losses += loop.losses();
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        pool.shutdown();
        return new Result(all, acquires, overlaps, losses, seconds, ProcessCpu.seconds() - cpu);
    }

    private Loop loop(Work work, Choice choice, long end) throws Exception {
        Waits all = new Waits();
        long overlaps = 0;
        long losses = 0;
        long now = System.nanoTime();
        while (now - end < 0) {
            boolean writes = work.isWriterNext();
            AutoCloseable hold = (writes ? choice.writer() : choice.usual()).run();
            all.add(System.nanoTime() - now);
            if (section.isExceeded(hold, work.weight(writes), work.limit())) {
                overlaps++;
            }
            try {
                hold.close();
            } catch (LockLostException e) {
                losses++;
            }
            now = System.nanoTime();
        }
        return new Loop(all, overlaps, losses);
    }
}
