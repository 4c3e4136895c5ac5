package io.github.distlock.tests.servers;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A ZooKeeper server for one test or one class of tests, either standalone or a member of a {@link ZooKeeperEnsemble}.
 *
 * <p>System properties: {@code lock.servers} selects {@code containers}, {@code processes}, or {@code auto}, the
 * default: containers if possible, otherwise processes. {@code lock.zookeeper.image} names the image. A process is a
 * JVM with the class path of the test, which must contain {@code org.apache.zookeeper:zookeeper}, {@code
 * io.dropwizard.metrics:metrics-core} and {@code org.xerial.snappy:snappy-java}.
 */
public final class ZooKeeperServer extends MachineServer {
    private static final Pattern VERSION = Pattern.compile("Zookeeper version: ([^-,\\s]+)");
    private static final Pattern MODE = Pattern.compile("Mode: ([\\w-]+)");
    /** A member without a quorum, if its settings allow that. */
    private static final String READ_ONLY = "read-only";

    private static final String STATUS = "srvr";
    private static final String NOT_SERVING = "not currently serving requests";

    private final String name;
    private final boolean alone;
    private volatile String version = "";

    ZooKeeperServer(String name, boolean alone, Machine machine) {
        super(machine);
        this.name = name;
        this.alone = alone;
    }

    /**
     * Starts a standalone server with the {@linkplain ZooKeeperSettings#defaults() default settings}.
     *
     * @return a server that answers
     * @throws IllegalStateException if the server does not answer within 60 s
     */
    public static ZooKeeperServer start() {
        return start(ZooKeeperSettings.defaults());
    }

    /**
     * Starts a standalone server.
     *
     * @param settings the settings of the server
     * @return a server that answers
     * @throws IllegalStateException if the server does not answer within 60 s
     */
    public static ZooKeeperServer start(ZooKeeperSettings settings) {
        ZooKeeperServer server = new ZooKeeperServer(
                "ZooKeeper", true, ZooKeeperMachines.single(Objects.requireNonNull(settings, "settings")));
        server.startOrClose();
        ZooKeeperMachines.kind().announce(server);
        return server;
    }

    /** {@return the address for clients, as {@code host:port}} */
    public String connectString() {
        return address();
    }

    /** {@return whether the server reports that it leads an ensemble; false if it does not answer} */
    public boolean isLeader() {
        return mode().equals("leader");
    }

    /** {@return whether the server serves clients; a member does only while it belongs to a quorum} */
    public boolean isServing() {
        String mode = mode();
        return !mode.isEmpty() && !mode.equals(READ_ONLY);
    }

    private String mode() {
        return first(MODE, ask(STATUS));
    }

    @Override
    public String version() {
        if (version.isEmpty()) {
            version = first(VERSION, ask(STATUS));
        }
        return version.isEmpty() ? "unknown" : version;
    }

    @Override
    boolean answers() {
        String answer = ask(STATUS);
        return !first(MODE, answer).isEmpty() || (!alone && answer.contains(NOT_SERVING));
    }

    private static String first(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        return found.find() ? found.group(1) : "";
    }

    @Override
    public String toString() {
        return name;
    }
}
