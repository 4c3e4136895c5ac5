package io.github.distlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** A future whose dependents run on the callback executor, also those of {@code …Async} methods without an executor. */
final class CallbackFuture<T> extends CompletableFuture<T> {
    private final Executor callbacks;

    CallbackFuture(Executor callbacks) {
        this.callbacks = callbacks;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CallbackFuture<>(callbacks);
    }

    @Override
    public Executor defaultExecutor() {
        return callbacks;
    }
}
