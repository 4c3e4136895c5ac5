package io.github.distlock.examples;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Shows work under a lock that never blocks a thread: waiting, working and releasing are stages. */
public final class AsynchronousChain {
    private AsynchronousChain() {}

    /** Returns the result of the work. Fails if the work fails, or if the lock stays busy until the time is over. */
    static <T> CompletableFuture<T> underLock(
            LockClient locks, String name, Duration maxWait, Function<LockHandle, CompletionStage<T>> work) {
        return locks.lock(name).tryAcquireAsync(maxWait).thenCompose(granted -> {
            LockHandle held = granted.orElseThrow(() -> new IllegalStateException(name + " is busy"));
            return work.apply(held).whenComplete((result, failure) -> held.releaseAsync());
        });
    }

    /**
     * Computes an answer under the lock, and prints it.
     *
     * @param arguments the address of a Redis server
     */
    public static void main(String[] arguments) {
        try (LockClient locks = LockClient.create(RedisBackend.connect(arguments[0]))) {
            String answer = underLock(
                            locks,
                            "reports/today",
                            Duration.ofSeconds(5),
                            held -> CompletableFuture.supplyAsync(() -> "written under token " + held.fencingToken()))
                    .join();
            System.out.println(answer);
        }
    }
}
