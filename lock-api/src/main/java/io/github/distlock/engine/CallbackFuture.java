package io.github.distlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** A future whose dependents, by an {@code …Async} method without an executor too, run on the callback executor. */
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
