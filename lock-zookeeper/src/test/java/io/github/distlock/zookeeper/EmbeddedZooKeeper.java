package io.github.distlock.zookeeper;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/** A server in this JVM, for tests that change what a server in a process keeps to itself. */
final class EmbeddedZooKeeper implements AutoCloseable {
    private static final int TICK_MILLIS = 500;
    private static final int MOST_CONNECTIONS = 100;

    private final Path directory;
    private ServerCnxnFactory connections;
    private ZooKeeperServer server;

    private EmbeddedZooKeeper(Path directory, int port, int longestSession) {
        this.directory = directory;
        run(port, longestSession);
    }

    /** Starts a server that keeps its data in a directory. */
    static EmbeddedZooKeeper start(Path directory, Duration longestSession) {
        return new EmbeddedZooKeeper(directory, 0, (int) longestSession.toMillis());
    }

    private void run(int port, int longestSession) {
        try {
            server = new ZooKeeperServer(directory.toFile(), directory.toFile(), TICK_MILLIS);
            server.setMaxSessionTimeout(longestSession);
            connections = ServerCnxnFactory.createFactory(new InetSocketAddress("localhost", port), MOST_CONNECTIONS);
            connections.startup(server);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Restarts the server with its data, and with another limit on session timeouts. */
    void restart(Duration longestSession) {
        int port = connections.getLocalPort();
        stop();
        run(port, (int) longestSession.toMillis());
    }

    void stop() {
        connections.shutdown();
        server.shutdown(true);
    }

    String address() {
        return "localhost:" + connections.getLocalPort();
    }

    /** Sets the number from which a directory counts its children. */
    void countFrom(String path, int number) {
        server.getZKDatabase().getNode(path).stat.setCversion(number);
    }

    @Override
    public void close() {
        stop();
    }
}
