package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Client;
import io.github.distlock.bench.Peer.Servers;
import io.github.distlock.bench.SharedLibrary.Acquire;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/**
 * A JVM of {@link Peers}, for one peer. It runs what each line of its standard input says, and answers with a line:
 *
 * <ul>
 *   <li>{@code own} or {@code one} for the lock of a thread, threads and milliseconds: with the {@link Result}
 *   <li>{@code acquire} of another lock: with the time at which that was done, which all processes of a machine share
 *   <li>{@code release} of that lock: with the time at which that began
 * </ul>
 *
 * <p>The holder of the one lock sets a flag in a file that all JVMs map. It finds the flag clear if holds exclude each
 * other.
 */
final class PeerProgram {
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final Client client;
    private final ByteBuffer held;
    private final Map<String, Acquire> locks = new HashMap<>();
    private AutoCloseable taken = () -> {};

    private PeerProgram(Client client, ByteBuffer held) {
        this.client = client;
        this.held = held;
    }

    /**
     * What the threads have done.
     *
     * @param acquires how many of each thread
     * @param overlaps how often a thread found that another one held the lock, too
     */
    record Result(Waits waits, List<Long> acquires, long overlaps, double seconds, double cpuSeconds) {
        String format() {
            return String.join(
                    " ",
                    waits.format(),
                    acquires.stream().map(String::valueOf).collect(Collectors.joining(",")),
                    Long.toString(overlaps),
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
                    Double.parseDouble(parts[3]),
                    Double.parseDouble(parts[4]));
        }
    }

    private record Loop(Waits waits, long overlaps) {}

    /**
     * Runs the program until its standard input ends.
     *
     * @param args the peer, the file of the flag, and the addresses of the servers
     * @throws Exception if an acquire or a release fails
     */
    public static void main(String[] args) throws Exception {
        Servers servers = Servers.parse(List.of(args).subList(2, args.length));
        try (Client client = Peer.valueOf(args[0]).connect(servers)) {
            PeerProgram program = new PeerProgram(client, map(Path.of(args[1])));
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                System.out.println(program.answer(line.split(" ", -1)));
            }
        }
    }

    private String answer(String[] words) throws Exception {
        return switch (words[0]) {
            case "acquire" -> {
                taken = locks.computeIfAbsent("handed", client::lock).run();
                yield Long.toString(System.nanoTime());
            }
            case "release" -> {
                long called = System.nanoTime();
                taken.close();
                yield Long.toString(called);
            }
            default -> {
                Duration time = Duration.ofMillis(Long.parseLong(words[2]));
                yield run(words[0].equals("own"), Integer.parseInt(words[1]), time)
                        .format();
            }
        };
    }

    private static ByteBuffer map(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, Integer.BYTES);
        }
    }

    private Result run(boolean own, int threads, Duration time) throws Exception {
        List<Acquire> used = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            String name = own ? "own" + i : "one";
            used.add(locks.computeIfAbsent(name + " of thread " + i, any -> client.lock(name)));
        }
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        double cpu = ProcessCpu.seconds();
        long begun = System.nanoTime();
        List<Future<Loop>> running = new ArrayList<>();
        for (Acquire acquire : used) {
            running.add(pool.submit(() -> loop(acquire, !own, begun + time.toNanos())));
        }
        Waits waits = new Waits();
        List<Long> acquires = new ArrayList<>();
        long overlaps = 0;
        for (Future<Loop> thread : running) {
            Loop loop = thread.get();
            waits.add(loop.waits());
            acquires.add(loop.waits().count());
            overlaps += loop.overlaps();
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        pool.shutdown();
        return new Result(waits, acquires, overlaps, seconds, ProcessCpu.seconds() - cpu);
    }

    private Loop loop(Acquire acquire, boolean checked, long end) throws Exception {
        Waits waits = new Waits();
        long overlaps = 0;
        long now = System.nanoTime();
        while (now - end < 0) {
            AutoCloseable hold = acquire.run();
            waits.add(System.nanoTime() - now);
            if (checked) {
                if (!INT.compareAndSet(held, 0, 0, 1)) {
                    overlaps++;
                }
                INT.setVolatile(held, 0, 0);
            }
            hold.close();
            now = System.nanoTime();
        }
        return new Loop(waits, overlaps);
    }
}
