package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A Redis server behind an HAProxy that closes each connection over which neither side has sent anything for some
 * time. The program {@code haproxy} must be on the path.
 *
 * <p>As a {@link Server}, it has the address of the proxy, and the faults of the server behind it.
 */
public final class HaProxy implements Server {
    private static final Duration START = Duration.ofSeconds(60);
    private static final int CONNECT_MILLIS = 1_000;

    private final RedisServer server;
    private final ProcessMachine machine;

    private HaProxy(RedisServer server, ProcessMachine machine) {
        this.server = server;
        this.machine = machine;
    }

    /**
     * Starts a proxy in front of a server.
     *
     * @param server a running server, which closes with the proxy
     * @param idleTime after which silence the proxy closes a connection
     * @return a proxy that accepts connections
     * @throws IllegalStateException if it accepts none within 60 s
     */
    public static HaProxy before(RedisServer server, Duration idleTime) {
        int port = Ports.free();
        Path directory = TemporaryFiles.newDirectory("haproxy");
        Path config = directory.resolve("haproxy.cfg");
        String lines = """
                defaults
                  mode tcp
                  maxconn 2000
                  timeout connect 1s
                  timeout client %1$dms
                  timeout server %1$dms
                listen all
                  bind %2$s:%3$d
                  server one %4$s
                """.formatted(idleTime.toMillis(), Ports.LOOPBACK, port, server.address());
        try {
            Files.writeString(config, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the configuration of HAProxy", e);
        }
        List<String> command = List.of("haproxy", "-db", "-f", config.toString());
        HaProxy proxy = new HaProxy(server, new ProcessMachine(port, directory, command, Map.of()));
        proxy.startOrClose();
        return proxy;
    }

    private void startOrClose() {
        try {
            machine.start();
            boolean ready = Waiting.until(START, () -> accepts() || !machine.isRunning());
            if (!ready || !machine.isRunning()) {
                throw new IllegalStateException("HAProxy does not accept connections. It wrote:\n" + machine.output());
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private boolean accepts() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host(), port()), CONNECT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** {@return the server behind the proxy} */
    public RedisServer server() {
        return server;
    }

    @Override
    public String host() {
        return machine.host();
    }

    @Override
    public int port() {
        return machine.port();
    }

    @Override
    public String version() {
        return server.version();
    }

    @Override
    public boolean isRunning() {
        return server.isRunning();
    }

    @Override
    public String output() {
        return server.output() + machine.output();
    }

    @Override
    public void pause() {
        server.pause();
    }

    @Override
    public void resume() {
        server.resume();
    }

    @Override
    public void kill() {
        server.kill();
    }

    @Override
    public void restart(boolean withData) {
        server.restart(withData);
    }

    /** Ends the proxy and the server. */
    @Override
    public void close() {
        machine.close();
        server.close();
    }
}
