package io.github.distlock.tests.servers;

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
    private static final Pattern VERSION = Pattern.compile("Redis version=([^,\\s]+)");

    private final boolean storing;

    private RedisServer(Machine machine, boolean storing) {
        super(machine);
        this.storing = storing;
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
                new RedisServer(RedisMachines.newMachine(lines), lines.stream().anyMatch(RedisServer::stores));
        server.startOrClose();
        RedisMachines.kind().announce(server);
        return server;
    }

    /**
     * Starts a server as a process of this machine, whatever the kind of servers. A replica has to be one: a container
     * does not reach its primary, or a proxy, at the address that tests use.
     *
     * @param configLines as for {@link #start}
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
        return new RedisServer(
                RedisMachines.newProcess(configLines, options),
                configLines.stream().anyMatch(RedisServer::stores));
    }

    private static boolean stores(String configLine) {
        return configLine.matches("(?i)\\s*(appendonly\\s+yes|save\\s+\\d.*)");
    }

    /** {@return the address for clients, as {@code redis://host:port}} */
    public String uri() {
        return "redis://" + address();
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
        String replies = ask("PING\r\nQUIT\r\n");
        return replies.startsWith("+PONG") || replies.startsWith("-NOAUTH");
    }

    @Override
    public String toString() {
        return "Redis";
    }
}
