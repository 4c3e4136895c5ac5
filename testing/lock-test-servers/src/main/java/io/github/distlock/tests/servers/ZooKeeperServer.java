package io.github.distlock.tests.servers;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One ZooKeeper server, made for one test or one class of tests: alone, or a member of a {@link ZooKeeperEnsemble}.
 *
 * <p>System properties: {@code lock.servers} says whether servers are {@code containers}, {@code processes}, or whatever is
 * possible ({@code auto}, the default). {@code lock.zookeeper.image} names the image. Processes are JVMs on the class path
 * of the test, which needs {@code org.apache.zookeeper:zookeeper}, {@code io.dropwizard.metrics:metrics-core} and
 * {@code org.xerial.snappy:snappy-java}.
 */
public final class ZooKeeperServer extends MachineServer {
    private static final Pattern VERSION = Pattern.compile("Zookeeper version: ([^-,\\s]+)");
    private static final Pattern MODE = Pattern.compile("Mode: (\\w+)");
    private static final String NOT_SERVING = "not currently serving requests";
    private static final int TIMEOUT_MILLIS = 1_000;

    private final String name;
    private final boolean alone;
    private volatile String version = "";

    ZooKeeperServer(String name, boolean alone, Machine machine) {
        super(machine);
        this.name = name;
        this.alone = alone;
    }

    /**
     * Starts a server of its own with the {@linkplain ZooKeeperSettings#defaults() default settings}.
     *
     * @return a server that answers
     */
    public static ZooKeeperServer start() {
        return start(ZooKeeperSettings.defaults());
    }

    /**
     * Starts a server of its own.
     *
     * @param settings how it is set up
     * @return a server that answers
     */
    public static ZooKeeperServer start(ZooKeeperSettings settings) {
        ZooKeeperServer server = new ZooKeeperServer(
                "ZooKeeper", true, ZooKeeperMachines.single(Objects.requireNonNull(settings, "settings")));
        server.startOrClose();
        ZooKeeperMachines.kind().announce(server);
        return server;
    }

    /**
     * What a client connects to.
     *
     * @return {@code host:port}
     */
    public String connectString() {
        return address();
    }

    /**
     * Whether it leads an ensemble now, by its own account.
     *
     * @return false also when it does not answer
     */
    public boolean isLeader() {
        return mode().equals("leader");
    }

    /**
     * Whether it takes requests of clients now; a member does only while it belongs to a quorum.
     *
     * @return false also when it does not answer
     */
    public boolean isServing() {
        return !mode().isEmpty();
    }

    private String mode() {
        return first(MODE, ask());
    }

    @Override
    public String version() {
        if (version.isEmpty()) {
            version = first(VERSION, ask());
        }
        return version.isEmpty() ? "unknown" : version;
    }

    @Override
    boolean answers() {
        String answer = ask();
        return !first(MODE, answer).isEmpty() || (!alone && answer.contains(NOT_SERVING));
    }

    private static String first(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        return found.find() ? found.group(1) : "";
    }

    private String ask() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host(), port()), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            return "";
        }
    }

    /** For people. */
    @Override
    public String toString() {
        return name;
    }
}
