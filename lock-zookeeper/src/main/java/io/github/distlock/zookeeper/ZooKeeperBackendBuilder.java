package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.common.PathUtils;
import org.jspecify.annotations.Nullable;

/** Settings of a {@link ZooKeeperBackend}. Sends nothing. Not thread-safe. */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class ZooKeeperBackendBuilder {
    private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(30);
    /** Curator's own default, for a lent client that has not been connected yet. */
    private static final Duration LENT_SESSION_TIMEOUT = Duration.ofSeconds(60);

    private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(500);
    private static final Duration UNKNOWN_TICK = Duration.ofDays(1);
    private static final String DEFAULT_BASE = "/distlock";
    private static final int RETRY_PAUSE = 100;

    private final @Nullable CuratorFramework lent;
    private final String connectString;
    private Function<String, String> paths = LockPaths.below(DEFAULT_BASE);
    private Duration sessionTimeout;
    private Duration tick = UNKNOWN_TICK;

    ZooKeeperBackendBuilder(String connectString) {
        this.lent = null;
        this.connectString = requireConnectString(requireNonNull(connectString, "connectString"));
        this.sessionTimeout = SESSION_TIMEOUT;
    }

    private static String requireConnectString(String connectString) {
        try {
            if (!connectString.isBlank()
                    && !new ConnectStringParser(connectString)
                            .getServerAddresses()
                            .isEmpty()) {
                return connectString;
            }
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("connectString \"" + connectString + "\" is none: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("connectString must name a server, but was \"" + connectString + "\"");
    }

    ZooKeeperBackendBuilder(CuratorFramework curator) {
        this.lent = requireNonNull(curator, "curator");
        this.connectString = "";
        this.sessionTimeout = LENT_SESSION_TIMEOUT;
    }

    /**
     * Where the locks' directories are made.
     *
     * @param path absolute; {@code /distlock} by default
     * @return this
     * @throws IllegalArgumentException when it is no path
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder basePath(String path) {
        PathUtils.validatePath(requireNonNull(path, "path"));
        paths = LockPaths.below(path);
        return this;
    }

    /**
     * Names the directory of each lock, in place of the base path: for locks that are shared with other clients, such
     * as Curator's {@code InterProcessMutex}, on paths that exist.
     *
     * @param mapping from the lock's name to an absolute path; distinct names need distinct paths, none within
     *     another's
     * @return this
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder paths(Function<String, String> mapping) {
        paths = requireNonNull(mapping, "mapping");
        return this;
    }

    /**
     * Sets the session timeout that this client asks for: how long the servers keep the locks of a silent client. They
     * may grant less or more. A caller-supplied client has its own timeout, so this counts only until it is connected.
     *
     * @param timeout at least half a second; 30 s by default
     * @return this
     * @throws IllegalArgumentException when it is too short, or longer than 24 days
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder sessionTimeout(Duration timeout) {
        if (requireNonNull(timeout, "timeout").compareTo(SHORTEST_TIMEOUT) < 0
                || timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException(
                    "timeout must be from " + SHORTEST_TIMEOUT + " to 24 days, but was " + timeout);
        }
        sessionTimeout = timeout;
        return this;
    }

    /**
     * The servers' {@code tickTime}. The shorter it is known to be, the longer a hold survives a silent ensemble; too
     * short a value puts exclusion at risk. Half of the session's time-out when it is not set, for no server grants
     * shorter sessions than two ticks, unless it was told to.
     *
     * @param tick positive
     * @return this
     * @throws IllegalArgumentException when it is not
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder tick(Duration tick) {
        if (requireNonNull(tick, "tick").isNegative() || tick.isZero()) {
            throw new IllegalArgumentException("tick must be positive, but was " + tick);
        }
        this.tick = tick;
        return this;
    }

    /**
     * A backend with these settings. It connects when it is first used.
     *
     * @return a new backend
     */
    public ZooKeeperBackend build() {
        CuratorFramework curator = lent == null ? newClient() : lent;
        return new ZooKeeperBackend(curator, lent == null, paths, sessionTimeout, tick);
    }

    private CuratorFramework newClient() {
        int timeout = (int) sessionTimeout.toMillis();
        return CuratorFrameworkFactory.builder()
                .connectString(connectString)
                .sessionTimeoutMs(timeout)
                .connectionTimeoutMs(timeout)
                .retryPolicy(new RetryOneTime(RETRY_PAUSE))
                // The servers are those that the user named, as they are reached from here.
                .ensembleTracker(false)
                .build();
    }
}
