package io.github.distlock.engine;

import java.util.concurrent.atomic.AtomicBoolean;

/** Whether a client is open. */
final class Lifecycle {
    private final String client;
    private final AtomicBoolean closed = new AtomicBoolean();

    Lifecycle(String client) {
        this.client = client;
    }

    boolean isClosed() {
        return closed.get();
    }

    /** Returns false if the client was closed before. */
    boolean close() {
        return closed.compareAndSet(false, true);
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
