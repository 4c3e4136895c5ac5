package io.github.distlock.tests.servers;

/**
 * A real server for tests. It listens on this machine only, on the same port for all its life, and ends with this JVM at
 * the latest.
 *
 * <p>What fails here fails with an {@link IllegalStateException} that shows what the server wrote last.
 */
public interface Server extends AutoCloseable {

    /**
     * Where clients connect.
     *
     * @return a host name or an address of this machine
     */
    String host();

    /**
     * Where clients connect. A restart does not change it.
     *
     * @return the port
     */
    int port();

    /**
     * What clients call the address.
     *
     * @return {@code host:port}
     */
    default String address() {
        return host() + ":" + port();
    }

    /**
     * The version that the server reports.
     *
     * @return for example {@code 7.0.15}
     */
    String version();

    /**
     * Whether the server's process lives. A paused one does.
     *
     * @return false after {@link #kill()} and {@link #close()}, and when it ended by itself
     */
    boolean isRunning();

    /**
     * What the server has written to its log, for people.
     *
     * @return the last of it
     */
    String output();

    /** Stops the process where it is (SIGSTOP): its connections stay open, nothing is answered. Until {@link #resume()}. */
    void pause();

    /** Lets a paused process go on. Does nothing when it is not paused. */
    void resume();

    /** Ends the process at once (SIGKILL), also a paused one. Does nothing when it has ended. */
    void kill();

    /**
     * Starts the server again on the same port; one that runs is first stopped in an orderly manner. Returns when it
     * answers.
     *
     * @param withData whether it finds what it has stored; otherwise it starts empty
     */
    void restart(boolean withData);

    /** Ends the server and removes its data. Closing twice is nothing. */
    @Override
    void close();
}
