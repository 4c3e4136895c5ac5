package io.github.distlock.tests.servers;

/** What a server runs on: a process or a container. It knows nothing about what the server speaks. */
interface Machine extends AutoCloseable {
    String host();

    int port();

    /** Starts it, on the data that are there. Only when it does not run. */
    void start();

    boolean isRunning();

    void pause();

    void resume();

    /** Ends it in an orderly manner, by force when that takes long. */
    void stop();

    void kill();

    /** Only when it does not run. */
    void eraseData();

    String output();

    @Override
    void close();
}
