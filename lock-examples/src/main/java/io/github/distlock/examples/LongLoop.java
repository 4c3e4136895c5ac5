package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.redis.RedisBackend;
import java.util.List;
import java.util.function.BiConsumer;

/** Shows long work in small steps. It checks its hold before each step, and stops as soon as the hold is lost. */
public final class LongLoop {
    private LongLoop() {}

    /** Runs a step for each row. Each step gets the fencing token for its writes. */
    static void migrate(DistributedLock lock, List<String> rows, BiConsumer<String, Long> step)
            throws InterruptedException {
        try (LockHandle held = lock.acquire()) {
            for (String row : rows) {
                held.ensureHeld();
                step.accept(row, held.fencingToken());
            }
        }
    }

    /**
     * Migrates three rows.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException if the thread is interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        try (LockClient locks = LockClient.create(RedisBackend.connect(arguments[0]))) {
            migrate(
                    locks.lock("migration/7"),
                    List.of("a", "b", "c"),
                    (row, token) -> System.out.println("row " + row + " under token " + token));
        } catch (LockLostException e) {
            System.out.println("stopped, somebody else may go on: " + e.getMessage());
        }
    }
}
