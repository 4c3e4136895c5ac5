package io.github.distlock.engine;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The ways to acquire a lock. */
enum Way {
    TRY,
    TRY_ASYNC,
    TIMED,
    TIMED_ASYNC,
    BLOCKING,
    ASYNC;

    /** Waits only as long as this way does. */
    Optional<LockHandle> acquire(DistributedLock lock, Duration wait) throws Exception {
        return switch (this) {
            case TRY -> lock.tryAcquire();
            case TRY_ASYNC -> result(lock.tryAcquireAsync(Duration.ZERO));
            case TIMED -> lock.tryAcquire(wait);
            case TIMED_ASYNC -> result(lock.tryAcquireAsync(wait));
            case BLOCKING -> Optional.of(lock.acquire());
            case ASYNC -> Optional.of(result(lock.acquireAsync()));
        };
    }

    private static <T> T result(CompletableFuture<T> future) throws Exception {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
