package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.waiting.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Uses a lock as commands say, one in each line. It answers these:
 *
 * <ul>
 *   <li>{@code acquire}: the token;
 *   <li>{@code acquire USE}, with a {@link LockUse}: the token of a lock that is used in this way, and whose name ends
 *       with it. The program can hold one such lock of each use, and its first lock;
 *   <li>{@code once TIME}: the outcome of the release that follows an acquire with a minimum hold;
 *   <li>{@code delayed TIME}: the token of the lock, which it acquires with a lock delay;
 *   <li>{@code wait}: {@code waiting} once it waits for the lock, which it does without a thread;
 *   <li>{@code state}, {@code state USE}: whether the lock is held;
 *   <li>{@code loss}, {@code loss USE}: {@code true} once the loss of the hold is reported;
 *   <li>{@code release}, {@code release USE}: the outcome;
 *   <li>{@code count FILE TIMES}: {@code counted} once it has counted in a file, each time under the lock.
 * </ul>
 *
 * <p>As a process of its own it also obeys {@code hook}: it will close its client when it ends; {@code exit}: it ends;
 * and {@code leave}: its only thread ends.
 */
final class LockProgram implements AutoCloseable {
    /** Begins each answer of a process. */
    static final String ANSWER = "answer: ";

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Events events = new Events();
    private final LockClient locks;
    private final DistributedLock lock;
    private final LockOptions options;
    /** The hold of each lock, by the words that follow the command. */
    private final Map<String, LockHandle> held = new HashMap<>();

    private final Set<LockHandle> lost = ConcurrentHashMap.newKeySet();

    LockProgram(LockBackend backend, String name, Duration lease) {
        options = LockOptions.defaults().renewedLease(lease);
        locks = LockClient.builder(backend)
                .listener(events)
                .shutdownTimeout(Duration.ZERO)
                .defaultOptions(options)
                .build();
        lock = locks.lock(name);
    }

    /** Arguments: class of the {@link BackendFactory}, address, space, name of the lock, lease. */
    public static void main(String[] arguments) throws Exception {
        BackendFactory factory = Class.forName(arguments[0])
                .asSubclass(BackendFactory.class)
                .getDeclaredConstructor()
                .newInstance();
        LockBackend backend = factory.backend(arguments[1], arguments[2]);
        LockProgram program = new LockProgram(backend, arguments[3], Duration.parse(arguments[4]));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            switch (line) {
                case "hook" -> Runtime.getRuntime().addShutdownHook(new Thread(program::close));
                case "exit" -> System.exit(0);
                case "leave" -> {
                    return;
                }
                default -> System.out.println(ANSWER + program.answer(line));
            }
        }
        program.close();
    }

    String answer(String line) throws IOException, InterruptedException {
        String[] command = line.split(" ", -1);
        String use = command.length == 2 ? command[1] : "";
        return switch (command[0]) {
            case "acquire" -> {
                LockHandle acquired = (use.isEmpty() ? lock : used(LockUse.valueOf(use))).acquire();
                acquired.onLost(loss -> lost.add(acquired));
                held.put(use, acquired);
                yield String.valueOf(acquired.fencingToken());
            }
            case "wait" -> {
                CompletableFuture<LockHandle> acquire = lock.acquireAsync();
                Waiting.until(PATIENCE, () -> acquire.isDone() || events.count("waiting") > 0);
                yield acquire.isDone() ? "not waiting" : "waiting";
            }
            case "once" -> {
                LockOptions atLeast = options.minimumHold(Duration.parse(command[1]));
                yield String.valueOf(locks.lock(lock.name(), atLeast).acquire().release());
            }
            case "delayed" -> {
                LockOptions delayed = options.lockDelay(Duration.parse(command[1]));
                LockHandle acquired = locks.lock(lock.name(), delayed).acquire();
                held.put("", acquired);
                yield String.valueOf(acquired.fencingToken());
            }
            case "state" -> String.valueOf(hold(use).isHeld());
            case "loss" -> String.valueOf(Waiting.until(PATIENCE, () -> lost.contains(hold(use))));
            case "release" -> String.valueOf(hold(use).release());
            case "count" -> {
                for (int i = 0; i < Integer.parseInt(command[2]); i++) {
                    try (LockHandle counting = lock.acquire()) {
                        countUp(Path.of(command[1]));
                    }
                }
                yield "counted";
            }
            default -> throw new IllegalArgumentException(line);
        };
    }

    private DistributedLock used(LockUse use) {
        return use.lock(locks, lock.name() + "/" + use);
    }

    private LockHandle hold(String use) {
        return Objects.requireNonNull(held.get(use), "nothing was acquired");
    }

    private static void countUp(Path file) throws IOException {
        long before = Long.parseLong(Files.readString(file));
        // So that no program counts to its end before the next one begins, and a second holder reads the same number.
        LockSupport.parkNanos(3_000_000);
        Files.writeString(file, Long.toString(before + 1));
    }

    @Override
    public void close() {
        locks.close();
    }
}
