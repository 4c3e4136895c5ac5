package io.github.distlock.tests;

import io.github.distlock.spi.BackendContext;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The context of a backend that a test uses without an engine: it runs log statements at once, and keeps the servers to
 * which connections were lost. Thread-safe.
 */
public final class RecordingContext implements BackendContext {
    private final String clientName;
    private final List<Object> lostConnections = new CopyOnWriteArrayList<>();

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
        Thread thread = new Thread(null, task, "distlock-" + clientName + "-" + role, 0, false);
        thread.setDaemon(true);
        return thread;
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
