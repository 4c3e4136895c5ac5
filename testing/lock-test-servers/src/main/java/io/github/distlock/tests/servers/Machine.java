package io.github.distlock.tests.servers;

/** A process or container that runs a server. It does not know the server's protocol. */
interface Machine extends AutoCloseable {
    String host();

    int port();

    /** Starts the server on its present data. The caller ensures that the server does not run. */
    void start();

    boolean isRunning();

    void pause();

    void resume();

    /** Stops the server in an orderly manner, and kills it if it has not ended within 10 s. */
    void stop();

    void kill();

    /** Deletes the server's data. The caller ensures that the server does not run. */
    void eraseData();

    String output();

    @Override
    void close();
}
