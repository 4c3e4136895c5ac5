package io.github.distlock.tests.history;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.BackendFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A process that adds elements to a set that several processes share. Under the lock it reads the set, waits, and
 * writes the set with one more element, without checking {@code isHeld()}. It prints {@code read TOKEN} and receives
 * the set. Then it prints {@code write TOKEN SET} and receives whether the write was accepted.
 */
final class Updater {
    private static final long LONGEST_THOUGHT_MILLIS = 100;

    private Updater() {}

    /** Arguments: class of the {@link BackendFactory}, address, space, lease in milliseconds, name of the process. */
    public static void main(String[] arguments) throws Exception {
        BackendFactory factory = Worker.factory(arguments[0]);
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofMillis(Long.parseLong(arguments[3])));
        BufferedReader answers = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (LockClient locks = LockClient.create(factory.backend(arguments[1], arguments[2]))) {
            DistributedLock lock = locks.lock("set", options);
            for (int i = 0; ; i++) {
                try (LockHandle held = lock.acquire()) {
                    System.out.println("read " + held.fencingToken());
                    String set = answers.readLine();
                    TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(LONGEST_THOUGHT_MILLIS));
                    System.out.println("write " + held.fencingToken() + " " + set + "," + arguments[4] + "-" + i);
                    if (answers.readLine() == null) {
                        return;
                    }
                } catch (LockException e) {
                    System.err.println(e);
                }
            }
        }
    }
}
