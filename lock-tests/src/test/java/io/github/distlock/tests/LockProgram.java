package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process that uses a lock as it is told, line by line: {@code acquire}, {@code state}, {@code release}, {@code count FILE
 * TIMES}. It answers {@code held TOKEN}, {@code state IS_HELD}, {@code released OUTCOME}, {@code counted}, and says {@code lost
 * REASON} by itself.
 */
public final class LockProgram {
    private LockProgram() {}

    /** Arguments: class of the {@link BackendFactory}, address, space, name of the lock, lease in milliseconds. */
    public static void main(String[] arguments) throws Exception {
        BackendFactory factory = Class.forName(arguments[0])
                .asSubclass(BackendFactory.class)
                .getDeclaredConstructor()
                .newInstance();
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofMillis(Long.parseLong(arguments[4])));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (LockClient locks = LockClient.create(factory.backend(arguments[1], arguments[2]))) {
            DistributedLock lock = locks.lock(arguments[3], options);
            LockHandle held = null;
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "acquire" -> {
                        held = lock.acquire();
                        held.onLost(loss -> System.out.println("lost " + loss.reason()));
                        System.out.println("held " + held.fencingToken());
                    }
                    case "state" -> System.out.println("state " + held.isHeld());
                    case "release" -> System.out.println("released " + held.release());
                    case "count" -> {
                        for (int i = 0; i < Integer.parseInt(words[2]); i++) {
                            try (LockHandle counting = lock.acquire()) {
                                countUp(Path.of(words[1]));
                            }
                        }
                        System.out.println("counted");
                    }
                    default -> throw new IllegalArgumentException(line);
                }
            }
        }
    }

    private static void countUp(Path file) throws Exception {
        long before = Long.parseLong(Files.readString(file));
        Files.writeString(file, Long.toString(before + 1));
    }
}
