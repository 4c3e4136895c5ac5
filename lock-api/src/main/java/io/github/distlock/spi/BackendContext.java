package io.github.distlock.spi;

/**
 * What the engine offers to its backend. Thread-safe. No method blocks or does I/O, so the engine's own threads may
 * call all of them.
 */
public interface BackendContext {

    /**
     * Returns {@linkplain io.github.distlock.LockClientBuilder#name the client's name}, for names of connections.
     *
     * @return the name, which does not change
     */
    String clientName();

    /**
     * Makes a daemon thread named {@code distlock-<client>-<role>}. The thread inherits neither thread-locals nor the
     * context class loader of the caller, who may belong to another application.
     *
     * @param role what the thread does, in one word
     * @param task what the thread runs
     * @return a thread that has not been started
     */
    Thread newThread(String role, Runnable task);

    /**
     * Runs a log statement soon, on a thread that does nothing else. A logger that blocks or throws costs log lines and
     * nothing else. So a backend never calls its logger itself, because requests also come from threads that keep
     * promises. If too many statements wait, this one is dropped, and the log says how many were.
     *
     * @param statement calls a logger
     */
    void log(Runnable statement);

    /**
     * Has all holds on a server renewed at once, because a connection to it has broken, or another process serves them
     * from now on. This includes holds that a request proves which was sent before, even if it is answered later.
     *
     * @param server {@linkplain Grant#server() the server} of the holds
     */
    void connectionLost(Object server);
}
