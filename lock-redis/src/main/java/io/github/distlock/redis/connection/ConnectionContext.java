package io.github.distlock.redis.connection;

import io.github.distlock.spi.LockClock;

/** What the backend offers to its connections, once the engine has started it. Thread-safe. No method blocks. */
public interface ConnectionContext {

    /**
     * Returns the clock of deadlines.
     *
     * @return the clock
     */
    LockClock clock();

    /**
     * Makes a daemon thread that makes connections.
     *
     * @param task what the thread runs
     * @return a thread that has not been started
     */
    Thread newThread(Runnable task);

    /**
     * Renews all holds on a server soon, because a connection has broken with a request under way, or because the
     * subscription has broken. A call within a second after another one for the same server does nothing.
     *
     * @param server as {@link Connections#server} names it
     */
    void connectionLost(Object server);
}
