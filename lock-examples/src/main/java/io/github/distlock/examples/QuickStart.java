package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;

/** The shortest program: {@code java … QuickStart redis://localhost:6379}. */
public final class QuickStart {
    private QuickStart() {}

    /**
     * Takes a lock, does something, and gives the lock back.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException when interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        try (LockClient locks = LockClient.create(RedisBackend.connect(arguments[0]))) {
            DistributedLock lock = locks.lock("orders/42");
            try (LockHandle held = lock.acquire()) {
                System.out.println("working under fencing token " + held.fencingToken());
            }
        }
    }
}
