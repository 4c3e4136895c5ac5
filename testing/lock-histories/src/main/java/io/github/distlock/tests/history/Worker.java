package io.github.distlock.tests.history;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.waiting.StallWatch;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process of a history. It prints {@code ready}, works until it reads {@code finish}, and prints {@code finished}
 * when all its calls have returned and its client is closed.
 */
final class Worker {
    static final String READY = "ready";
    static final String FINISH = "finish";
    static final String FINISHED = "finished";

    private static final String NAME = "history-";

    final LockClient locks;
    final Duration lease;
    final Duration rest;
    final boolean fair;
    final HistoryWriter history;
    /** The number of the acquire of each fair lock. */
    final Map<String, Long> acquiring;

    final AtomicLong operations = new AtomicLong();
    volatile boolean finishing;

    private Worker(
            LockClient locks,
            Duration lease,
            Duration rest,
            boolean fair,
            HistoryWriter history,
            Map<String, Long> acquiring) {
        this.locks = locks;
        this.lease = lease;
        this.rest = rest;
        this.fair = fair;
        this.history = history;
        this.acquiring = acquiring;
    }

    private static String clientName(long number) {
        return NAME + number;
    }

    static BackendFactory factory(String className) throws ReflectiveOperationException {
        return Class.forName(className)
                .asSubclass(BackendFactory.class)
                .getDeclaredConstructor()
                .newInstance();
    }

    /** Returns the process of a client, or 0. */
    static long processOf(String clientName) {
        return clientName.startsWith(NAME) ? Long.parseLong(clientName.substring(NAME.length())) : 0;
    }

    /**
     * Arguments: class of the {@link BackendFactory}, address, space, file, number, seed, and in milliseconds the lease
     * and the longest rest.
     */
    public static void main(String[] arguments) throws Exception {
        BackendFactory factory = factory(arguments[0]);
        long number = Long.parseLong(arguments[4]);
        Duration lease = Duration.ofMillis(Long.parseLong(arguments[6]));
        Duration rest = Duration.ofMillis(Long.parseLong(arguments[7]));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (HistoryWriter history = new HistoryWriter(Path.of(arguments[3]))) {
            history.write(System.nanoTime(), Event.Kind.BEGIN, 0, "", 0, 0, clientName(number));
            Map<String, Long> acquiring = new ConcurrentHashMap<>();
            LockBackend backend = ObservedBackend.of(factory.backend(arguments[1], arguments[2]), history, acquiring);
            try (LockClient locks = LockClient.builder(backend)
                    .name(clientName(number))
                    .defaultOptions(LockOptions.defaults().renewedLease(lease))
                    .build()) {
                warmUp(locks);
                StallWatch.start(
                        () -> !history.isClosed(),
                        (from, until) -> history.write(from, Event.Kind.STALLED, 0, "", 0, until, ""));
                boolean fair = backend.capabilities().contains(Capability.FAIR);
                Worker worker = new Worker(locks, lease, rest, fair, history, acquiring);
                List<Thread> threads = worker.start(
                        Mode.of(backend.capabilities()), new SplittableRandom(Long.parseLong(arguments[5])));
                System.out.println(READY);
                for (String line = commands.readLine(); !FINISH.equals(line); line = commands.readLine()) {
                    if (line == null) {
                        return;
                    }
                }
                worker.finishing = true;
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            history.write(System.nanoTime(), Event.Kind.END, 0, "", 0, 0, "");
            System.out.println(FINISHED);
        }
    }

    /** Loads classes and connects, so that the recorded calls do not include this. */
    private static void warmUp(LockClient locks) throws InterruptedException {
        boolean warm = false;
        while (!warm) {
            try (LockHandle held = locks.lock(clientName(0)).acquire()) {
                warm = held.isHeld();
            } catch (LockException e) {
                // The run is injecting a fault into the server or into this process's proxy.
            }
        }
    }

    private List<Thread> start(List<LockMode.Kind> modes, SplittableRandom random) {
        List<Thread> threads = new ArrayList<>();
        for (Workload.Group group : Workload.groups(modes).toList()) {
            for (int i = 0; i < group.threads(); i++) {
                Thread thread = new Thread(new User(this, group, i, random.split()), group.locks() + "-user-" + i);
                thread.setDaemon(true);
                threads.add(thread);
                thread.start();
            }
        }
        return threads;
    }
}
