package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;

/** Shows the shortest program, which is also in the README. */
public final class QuickStart {
    private QuickStart() {}

    private static final class Orders {
        void save(int number, long fencingToken) {
            System.out.println("order " + number + " saved under fencing token " + fencingToken);
        }
    }

    /**
     * Acquires a lock, saves an order, and releases the lock.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException if the thread is interrupted while it waits for the lock
     */
    public static void main(String[] arguments) throws InterruptedException {
        Orders orders = new Orders();
        String server = arguments[0]; // redis://localhost:6379
        try (LockClient locks = LockClient.create(RedisBackend.connect(server))) {
            DistributedLock lock = locks.lock("orders/42");
            try (LockHandle held = lock.acquire()) {
                orders.save(42, held.fencingToken());
            }
        }
    }
}
