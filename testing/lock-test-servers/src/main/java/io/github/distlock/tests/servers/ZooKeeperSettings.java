package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The settings of a ZooKeeper server. Immutable.
 *
 * <p>Defaults: a tick lasts 500 ms and a session timeout 1 s to 60 s. The server does not force its log of transactions
 * to the disk, so the log survives the end of the process but not a crash of the machine.
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

    /** {@return the default settings} */
    public static ZooKeeperSettings defaults() {
        return DEFAULTS;
    }

    /**
     * Sets the server's unit of time. Sessions end at its multiples.
     *
     * @param tick at least 1 ms; rounded down to milliseconds
     * @return settings with this tick
     * @throws IllegalArgumentException if the tick is less than 1 ms
     */
    public ZooKeeperSettings tickTime(Duration tick) {
        return with("tickTime", millis(tick, "tick"));
    }

    /**
     * Sets the shortest timeout that a session gets.
     *
     * @param timeout at least 1 ms; rounded down to milliseconds
     * @return settings with this bound
     * @throws IllegalArgumentException if the timeout is less than 1 ms
     */
    public ZooKeeperSettings minSessionTimeout(Duration timeout) {
        return with("minSessionTimeout", millis(timeout, "timeout"));
    }

    /**
     * Sets the longest timeout that a session gets.
     *
     * @param timeout at least 1 ms; rounded down to milliseconds
     * @return settings with this bound
     * @throws IllegalArgumentException if the timeout is less than 1 ms
     */
    public ZooKeeperSettings maxSessionTimeout(Duration timeout) {
        return with("maxSessionTimeout", millis(timeout, "timeout"));
    }

    /**
     * Sets a line of the configuration file.
     *
     * @param key the key in {@code zoo.cfg}
     * @param value the value in {@code zoo.cfg}
     * @return settings with this line
     */
    public ZooKeeperSettings with(String key, String value) {
        return new ZooKeeperSettings(put(lines, key, value), systemProperties);
    }

    /**
     * Sets a system property of the server's JVM, for settings that ZooKeeper does not read from {@code zoo.cfg}, such
     * as {@code znode.container.checkIntervalMs}.
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

    @Override
    public String toString() {
        return "ZooKeeperSettings" + lines + systemProperties;
    }
}
