package io.github.distlock.tests.servers;

import java.util.List;

/**
 * A real server for tests. It listens on this machine only, always on the same port, and ends with this JVM at the
 * latest. An ensemble is a server with several {@linkplain #members() members}.
 *
 * <p>If the server does not start, the method throws an {@link IllegalStateException} that shows the server's last
 * output.
 */
public interface Server extends AutoCloseable {

    /** {@return the servers at which clients connect; by default, this server alone} */
    default List<? extends Server> members() {
        return List.of(this);
    }

    /** {@return the host name or address at which clients connect; of the first member if there are several} */
    String host();

    /** {@return the port at which clients connect, as {@link #host()}; a restart does not change it} */
    int port();

    /** {@return the address at which clients connect, as {@code host:port}; of all members, separated by commas} */
    default String address() {
        return host() + ":" + port();
    }

    /** {@return the version that the server reports, such as {@code 7.0.15}, or {@code unknown}} */
    String version();

    /** {@return whether the server's process has not ended; true for a paused process} */
    boolean isRunning();

    /** {@return the last part of the server's log, for error messages; with the exit code if a process has ended} */
    String output();

    /** Pauses the process (SIGSTOP): until {@link #resume()}, its connections stay open and it answers nothing. */
    void pause();

    /** Resumes a paused process. Does nothing if it is not paused. */
    void resume();

    /** Kills the process (SIGKILL), even if it is paused. Does nothing if it has ended. */
    void kill();

    /**
     * Restarts the server on the same port. Stops a running server in an orderly manner first. Returns when it answers.
     *
     * @param withData true to keep the stored data, false to start empty
     */
    void restart(boolean withData);

    /** Ends the server and deletes its data. A second call does nothing. */
    @Override
    void close();
}
