package io.github.distlock.engine;

import java.util.concurrent.atomic.AtomicReference;

/** Whether a client is open. */
final class Lifecycle {
    private enum State {
        OPEN,
        /** A checkpoint of the process is being made. */
        SUSPENDED,
        CLOSED
    }

    private final String client;
    private final AtomicReference<State> state = new AtomicReference<>(State.OPEN);

    Lifecycle(String client) {
        this.client = client;
    }

    boolean isClosed() {
        return state.get() == State.CLOSED;
    }

    boolean isSuspended() {
        return state.get() == State.SUSPENDED;
    }

    /** Returns false if the client was closed before. */
    boolean close() {
        return state.getAndSet(State.CLOSED) != State.CLOSED;
    }

    /** Returns false if the client is closed or suspended. */
    boolean suspend() {
        return state.compareAndSet(State.OPEN, State.SUSPENDED);
    }

    void resume() {
        var unused = state.compareAndSet(State.SUSPENDED, State.OPEN);
    }

    void ensureOpen() {
        if (isClosed()) {
            throw closedException();
        }
    }

    IllegalStateException closedException() {
        return new IllegalStateException("lock client \"" + client + "\" is closed");
    }
}
