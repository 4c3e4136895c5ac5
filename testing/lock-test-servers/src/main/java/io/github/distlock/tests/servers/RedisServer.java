package io.github.distlock.tests.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One Redis server, made for one test or one class of tests.
 *
 * <p>By itself it stores nothing on disk, so it comes back empty from every restart. To keep its data, start it with
 * {@code RedisServer.start("appendonly yes", "appendfsync always")}.
 *
 * <p>System properties: {@code lock.servers} says whether servers are {@code containers}, {@code processes}, or whatever is
 * possible ({@code auto}, the default). {@code lock.redis.image} names the image; {@code lock.redis.binary} the program,
 * which is otherwise {@code redis-server} on the path, or else the one inside the library
 * {@code com.github.codemonstur:embedded-redis}.
 */
public final class RedisServer extends MachineServer {
    private static final Pattern VERSION = Pattern.compile("Redis version=([^,\\s]+)");
    private static final int TIMEOUT_MILLIS = 1_000;

    private final boolean storing;

    private RedisServer(Machine machine, boolean storing) {
        super(machine);
        this.storing = storing;
    }

    /**
     * Starts a server; it answers when this returns.
     *
     * @param configLines lines for the end of its configuration file, such as {@code requirepass secret}
     * @return a running server
     */
    public static RedisServer start(String... configLines) {
        List<String> lines = List.of(Objects.requireNonNull(configLines, "configLines"));
        RedisServer server =
                new RedisServer(RedisMachines.newMachine(lines), lines.stream().anyMatch(RedisServer::stores));
        server.startOrClose();
        RedisMachines.kind().announce(server);
        return server;
    }

    private static boolean stores(String configLine) {
        return configLine.matches("(?i)\\s*(appendonly\\s+yes|save\\s+\\d.*)");
    }

    /**
     * What a client connects to.
     *
     * @return {@code redis://host:port}
     */
    public String uri() {
        return "redis://" + address();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException when data are wanted, but the server was not told to store them
     */
    @Override
    public void restart(boolean withData) {
        if (withData && !storing) {
            throw new IllegalStateException("this server stores nothing: start it with \"appendonly yes\"");
        }
        super.restart(withData);
    }

    @Override
    public String version() {
        Matcher version = VERSION.matcher(output());
        return version.find() ? version.group(1) : "unknown";
    }

    @Override
    boolean answers() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host(), port()), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            BufferedReader replies =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String reply = replies.readLine();
            return reply != null && (reply.equals("+PONG") || reply.startsWith("-NOAUTH"));
        } catch (IOException e) {
            return false;
        }
    }

    /** For people. */
    @Override
    public String toString() {
        return "Redis";
    }
}
