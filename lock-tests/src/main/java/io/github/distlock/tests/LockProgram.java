package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.servers.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A process that uses a lock as it is told, line by line:
 *
 * <ul>
 *   <li>{@code acquire}: it says {@code held TOKEN}, and {@code lost REASON} should that come;
 *   <li>{@code wait}: it says {@code waiting} when it was told to wait, and goes on doing so without a thread;
 *   <li>{@code state}: it says {@code state IS_HELD};
 *   <li>{@code release}: it says {@code released OUTCOME};
 *   <li>{@code count FILE TIMES}: it counts in a file, each time under the lock, and says {@code counted};
 *   <li>{@code hook}: when the process ends, it will close its client;
 *   <li>{@code exit}: it ends the process; {@code leave}: it ends its only thread. Neither releases anything.
 * </ul>
 */
final class LockProgram {
    private final LockClient locks;
    private final DistributedLock lock;
    private final Events events;
    private @Nullable LockHandle held;

    private LockProgram(LockClient locks, DistributedLock lock, Events events) {
        this.locks = locks;
        this.lock = lock;
        this.events = events;
    }

    /** Arguments: class of the {@link BackendFactory}, address, space, name of the lock, lease in milliseconds. */
    public static void main(String[] arguments) throws Exception {
        BackendFactory factory = Class.forName(arguments[0])
                .asSubclass(BackendFactory.class)
                .getDeclaredConstructor()
                .newInstance();
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofMillis(Long.parseLong(arguments[4])));
        Events events = new Events();
        LockClient locks = LockClient.builder(factory.backend(arguments[1], arguments[2]))
                .listener(events)
                .shutdownTimeout(Duration.ZERO)
                .build();
        new LockProgram(locks, locks.lock(arguments[3], options), events).obey();
    }

    private void obey() throws IOException, InterruptedException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            if (line.equals("leave")) {
                return;
            }
            obey(line.split(" ", -1));
        }
        locks.close();
    }

    private void obey(String[] command) throws IOException, InterruptedException {
        switch (command[0]) {
            case "acquire" -> {
                LockHandle acquired = lock.acquire();
                acquired.onLost(loss -> System.out.println("lost " + loss.reason()));
                System.out.println("held " + acquired.fencingToken());
                held = acquired;
            }
            case "wait" -> {
                CompletableFuture<LockHandle> acquire = lock.acquireAsync();
                Waiting.until(Duration.ofMinutes(1), () -> acquire.isDone() || events.count("waiting") > 0);
                System.out.println(acquire.isDone() ? "not waiting" : "waiting");
            }
            case "state" -> System.out.println("state " + hold().isHeld());
            case "release" -> System.out.println("released " + hold().release());
            case "count" -> {
                for (int i = 0; i < Integer.parseInt(command[2]); i++) {
                    try (LockHandle counting = lock.acquire()) {
                        countUp(Path.of(command[1]));
                    }
                }
                System.out.println("counted");
            }
            case "hook" -> Runtime.getRuntime().addShutdownHook(new Thread(locks::close));
            case "exit" -> System.exit(0);
            default -> throw new IllegalArgumentException(String.join(" ", command));
        }
    }

    private LockHandle hold() {
        return Objects.requireNonNull(held, "nothing was acquired");
    }

    private static void countUp(Path file) throws IOException {
        long before = Long.parseLong(Files.readString(file));
        Files.writeString(file, Long.toString(before + 1));
    }
}
