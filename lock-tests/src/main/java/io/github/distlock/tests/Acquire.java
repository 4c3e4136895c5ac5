package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The ways to acquire a lock. Each ends with a hold, with an empty answer, or with an exception. */
enum Acquire {
    TRY,
    TIMED,
    BLOCKING,
    ASYNC,
    TIMED_ASYNC;

    /** Starts it on a thread of its own. Those that are not timed ignore the wait. */
    Task<Optional<LockHandle>> start(DistributedLock lock, Duration wait) {
        return new Task<>("contract-" + this, () -> answer(lock, wait));
    }

    private Optional<LockHandle> answer(DistributedLock lock, Duration wait) throws Exception {
        return switch (this) {
            case TRY -> lock.tryAcquire();
            case TIMED -> lock.tryAcquire(wait);
            case BLOCKING -> Optional.of(lock.acquire());
            case ASYNC -> Optional.of(result(lock.acquireAsync()));
            case TIMED_ASYNC -> result(lock.tryAcquireAsync(wait));
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
