package io.github.distlock.tests;

import io.github.distlock.spi.BackendContext;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * The context of a backend that a test uses without an engine: it runs log statements at once, and keeps the servers to
 * which connections were lost. A test can refuse it threads. Thread-safe.
 */
public final class RecordingContext implements BackendContext {
    private final String clientName;
    private final List<Object> lostConnections = new CopyOnWriteArrayList<>();
    private volatile Predicate<String> refused = role -> false;

    /**
     * Makes a context.
     *
     * @param clientName the client's name, part of the names of threads
     */
    public RecordingContext(String clientName) {
        this.clientName = clientName;
    }

    @Override
    public String clientName() {
        return clientName;
    }

    @Override
    public Thread newThread(String role, Runnable task) {
        String name = "distlock-" + clientName + "-" + role;
        if (refused.test(role)) {
            throw new Error("unable to create native thread " + name);
        }
        Thread thread = new Thread(null, task, name, 0, false);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Lets no thread be made, as in a process that has as many as it may have. The JVM throws an
     * {@link OutOfMemoryError} then, after which JUnit would end the run.
     *
     * @param roles accepts the role of each thread for which {@link #newThread} throws an {@link Error}
     */
    public void refuseThreads(Predicate<String> roles) {
        refused = roles;
    }

    @Override
    public void log(Runnable statement) {
        statement.run();
    }

    @Override
    public void connectionLost(Object server) {
        lostConnections.add(server);
    }

    /**
     * Returns the servers to which the backend has lost a connection.
     *
     * @return one entry per lost connection, in order
     */
    public List<Object> lostConnections() {
        return List.copyOf(lostConnections);
    }
}
