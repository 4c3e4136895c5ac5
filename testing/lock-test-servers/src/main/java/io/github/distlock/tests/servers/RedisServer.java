package io.github.distlock.tests.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Redis server for one test or one class of tests.
 *
 * <p>By default it stores nothing on disk, so it is empty after each restart. To keep its data, start it with {@code
 * RedisServer.start("appendonly yes", "appendfsync always")}.
 *
 * <p>System properties: {@code lock.servers} selects {@code containers}, {@code processes}, or {@code auto}, the
 * default: containers if possible, otherwise processes. {@code lock.redis.image} names the image. {@code
 * lock.redis.binary} names the program; the default is {@code redis-server} on the path, or else the program in the
 * library {@code com.github.codemonstur:embedded-redis}.
 */
public final class RedisServer extends MachineServer {
    private static final Pattern VERSION = Pattern.compile("(?:Redis|Valkey) version=([^,\\s]+)");

    private static final String CERTIFICATE = "tls-cert-file ";
    private static final int NO_TLS = 0;

    private final boolean storing;
    /** Where it serves TLS, beside its other port, or 0. */
    private final int tlsPort;

    private RedisServer(Machine machine, boolean storing, int tlsPort) {
        super(machine);
        this.storing = storing;
        this.tlsPort = tlsPort;
    }

    /**
     * Starts a server.
     *
     * @param configLines lines for the end of its configuration file, such as {@code requirepass secret}
     * @return a server that answers
     * @throws IllegalStateException if the server does not answer within 60 s
     */
    public static RedisServer start(String... configLines) {
        List<String> lines = List.of(Objects.requireNonNull(configLines, "configLines"));
        RedisServer server =
                new RedisServer(RedisMachines.newMachine(lines), lines.stream().anyMatch(RedisServer::stores), NO_TLS);
        server.startOrClose();
        RedisMachines.kind().announce(server);
        return server;
    }

    /**
     * Starts a server as a process of this machine, whatever the kind of servers. A replica has to be one: a container
     * does not reach its primary, or a proxy, at the address that tests use.
     *
     * @param configLines as for {@link #start}; if they name a certificate, the server also serves TLS, at another port
     * @return a server that answers
     * @throws IllegalStateException if the server does not answer within 60 s
     */
    public static RedisServer startProcess(String... configLines) {
        RedisServer server = newProcess(List.of(Objects.requireNonNull(configLines, "configLines")));
        server.startOrClose();
        return server;
    }

    /** Returns a process, whatever the kind of servers, which is not started yet. */
    static RedisServer newProcess(List<String> configLines, String... options) {
        boolean stores = configLines.stream().anyMatch(RedisServer::stores);
        if (configLines.stream().noneMatch(line -> line.startsWith(CERTIFICATE))) {
            return new RedisServer(RedisMachines.newProcess(configLines, options), stores, NO_TLS);
        }
        int tlsPort = RedisMachines.newPort(configLines);
        List<String> lines = new ArrayList<>(configLines);
        lines.add("tls-port " + tlsPort);
        return new RedisServer(RedisMachines.newProcess(lines, options), stores, tlsPort);
    }

    private static boolean stores(String configLine) {
        return configLine.matches("(?i)\\s*(appendonly\\s+yes|save\\s+\\d.*)");
    }

    /** {@return the address for clients, as {@code redis://host:port}} */
    public String uri() {
        return "redis://" + address();
    }

    /**
     * Returns the address for clients with TLS.
     *
     * @return as {@code host:port}
     * @throws IllegalStateException if the configuration names no certificate
     */
    public String tlsAddress() {
        if (!servesTls()) {
            throw new IllegalStateException("this server has no certificate");
        }
        return host() + ":" + tlsPort;
    }

    boolean servesTls() {
        return tlsPort != NO_TLS;
    }

    /** Returns the port at which other servers connect: with TLS if this server serves it. */
    int portForServers() {
        return servesTls() ? tlsPort : port();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if {@code withData} is true and the configuration does not store data
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
        String replies = ask("PING\r\n");
        return replies.startsWith("+PONG") || replies.startsWith("-NOAUTH");
    }

    @Override
    public String toString() {
        return "Redis";
    }
}
