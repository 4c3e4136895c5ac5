package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * How a ZooKeeper server is set up. Immutable.
 *
 * <p>Unless changed, a tick is 500 ms, sessions may ask for 1 s to 60 s, and the log of transactions is written but not
 * forced to the disk: it survives the end of the process, not of the machine.
 */
public final class ZooKeeperSettings {
    private static final ZooKeeperSettings DEFAULTS = new ZooKeeperSettings(Map.of(), Map.of())
            .with("admin.enableServer", "false")
            .with("4lw.commands.whitelist", "*")
            .with("maxClientCnxns", "0")
            .with("initLimit", "20")
            .with("syncLimit", "6")
            .with("forceSync", "no")
            .with("preAllocSize", "1024")
            .tickTime(Duration.ofMillis(500))
            .minSessionTimeout(Duration.ofSeconds(1))
            .maxSessionTimeout(Duration.ofSeconds(60));

    private final Map<String, String> lines;
    private final Map<String, String> systemProperties;

    private ZooKeeperSettings(Map<String, String> lines, Map<String, String> systemProperties) {
        this.lines = lines;
        this.systemProperties = systemProperties;
    }

    /**
     * Where to start from.
     *
     * @return the settings that apply unless changed
     */
    public static ZooKeeperSettings defaults() {
        return DEFAULTS;
    }

    /**
     * The server's unit of time. Sessions end at its multiples.
     *
     * @param tick in whole milliseconds
     * @return settings with this tick
     */
    public ZooKeeperSettings tickTime(Duration tick) {
        return with("tickTime", millis(tick, "tick"));
    }

    /**
     * The shortest time-out that a session gets.
     *
     * @param timeout in whole milliseconds
     * @return settings with this bound
     */
    public ZooKeeperSettings minSessionTimeout(Duration timeout) {
        return with("minSessionTimeout", millis(timeout, "timeout"));
    }

    /**
     * The longest time-out that a session gets.
     *
     * @param timeout in whole milliseconds
     * @return settings with this bound
     */
    public ZooKeeperSettings maxSessionTimeout(Duration timeout) {
        return with("maxSessionTimeout", millis(timeout, "timeout"));
    }

    /**
     * Another line of the configuration file.
     *
     * @param key as in {@code zoo.cfg}
     * @param value as in {@code zoo.cfg}
     * @return settings with this line
     */
    public ZooKeeperSettings with(String key, String value) {
        return new ZooKeeperSettings(put(lines, key, value), systemProperties);
    }

    /**
     * A setting that ZooKeeper takes only as a system property of its JVM, such as
     * {@code znode.container.checkIntervalMs}.
     *
     * @param key the name of the property
     * @param value its value, without white space
     * @return settings with this property
     */
    public ZooKeeperSettings withSystemProperty(String key, String value) {
        return new ZooKeeperSettings(lines, put(systemProperties, key, value));
    }

    Map<String, String> lines() {
        return lines;
    }

    Map<String, String> systemProperties() {
        return systemProperties;
    }

    private static Map<String, String> put(Map<String, String> old, String key, String value) {
        Map<String, String> changed = new LinkedHashMap<>(old);
        changed.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(value, "value"));
        return Collections.unmodifiableMap(changed);
    }

    private static String millis(Duration time, String parameter) {
        Objects.requireNonNull(time, parameter);
        if (time.toMillis() <= 0) {
            throw new IllegalArgumentException(parameter + " is less than a millisecond: " + time);
        }
        return String.valueOf(time.toMillis());
    }

    /** For people. */
    @Override
    public String toString() {
        return "ZooKeeperSettings" + lines + systemProperties;
    }
}
