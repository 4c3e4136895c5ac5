package io.github.distlock.zookeeper;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.BackendContext;

/** Starts threads of the backend. */
final class BackendThreads {
    private BackendThreads() {}

    /**
     * Starts a thread.
     *
     * @throws IllegalStateException if the process may have no more threads. The JVM throws an {@link Error} then, for
     *     which callers of a lock are not prepared. Only the present request fails, and the next one tries again.
     */
    @CanIgnoreReturnValue
    static Thread start(BackendContext context, String role, Runnable task) {
        try {
            Thread made = context.newThread(role, task);
            made.start();
            return made;
        } catch (Error e) {
            throw new IllegalStateException("a thread of the ZooKeeper backend could not be started: " + e, e);
        }
    }
}
