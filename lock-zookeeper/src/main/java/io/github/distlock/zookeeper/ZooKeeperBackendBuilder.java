package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.PathUtils;
import org.jspecify.annotations.Nullable;

/** Builds a {@link ZooKeeperBackend}. Sends nothing. Not thread-safe. */
@SuppressWarnings("exports") // an annotation for tools, which users do not need
public final class ZooKeeperBackendBuilder {
    private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(30);
    /** Curator's default, which counts for a caller-supplied client until that client is connected. */
    private static final Duration SUPPLIED_CLIENT_SESSION_TIMEOUT = Duration.ofSeconds(60);

    private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(500);
    private static final String DEFAULT_BASE = "/distlock";
    private static final int RETRY_PAUSE = 100;
    /** Less than the time for which closing a backend waits. */
    private static final Duration LONGEST_SESSION_END = Duration.ofMillis(400);

    private final @Nullable CuratorFramework suppliedClient;
    private final String connectString;
    private Function<String, String> paths = new LockPaths.Below(DEFAULT_BASE);
    private Duration sessionTimeout;
    private @Nullable Duration tick;

    ZooKeeperBackendBuilder(String connectString) {
        this.suppliedClient = null;
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
            throw invalid(connectString, e);
        }
        throw invalid(connectString, null);
    }

    private static IllegalArgumentException invalid(String connectString, @Nullable RuntimeException reason) {
        String shown = ConnectStrings.withoutCredentials(connectString);
        // The message of the reason repeats the connect string.
        return new IllegalArgumentException(
                "connectString must be host:port[,host:port…][/chroot], but was \"" + shown + "\"",
                ConnectStrings.hasCredentials(connectString) ? null : reason);
    }

    ZooKeeperBackendBuilder(CuratorFramework curator) {
        this.suppliedClient = requireNonNull(curator, "curator");
        this.connectString = "";
        this.sessionTimeout = SUPPLIED_CLIENT_SESSION_TIMEOUT;
    }

    /**
     * Sets the parent of the locks' directories. The name of each directory is the lock's name, percent-encoded. The
     * last call of this method or of {@link #paths} counts.
     *
     * @param path absolute; {@code /distlock} by default
     * @return this
     * @throws IllegalArgumentException if this is not a valid absolute path
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder basePath(String path) {
        PathUtils.validatePath(requireNonNull(path, "path"));
        paths = new LockPaths.Below(path);
        return this;
    }

    /**
     * Sets the mapping from names to directories, for paths that other clients already use, such as Curator's
     * {@code InterProcessMutex}. It replaces the {@linkplain #basePath base path}. The mapping must give each name its
     * own path, and no path may lie within another. {@link io.github.distlock.LockInspector#list} is not supported,
     * because nothing maps paths back to names.
     *
     * @param mapping maps a lock's name to an absolute path; any thread may call it
     * @return this
     */
    @CanIgnoreReturnValue
    public ZooKeeperBackendBuilder paths(Function<String, String> mapping) {
        paths = requireNonNull(mapping, "mapping");
        return this;
    }

    /**
     * Sets the session timeout that this client asks for: how long the servers keep the locks of a silent client. The
     * servers may grant less or more. A caller-supplied client has its own timeout, so this one counts only until that
     * client is connected.
     *
     * @param timeout at least 500 ms and at most 2<sup>31</sup> − 1 ms (24 days); 30 s by default, 60 s for a
     *     caller-supplied client
     * @return this
     * @throws IllegalArgumentException if it is shorter or longer
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
     * Sets the servers' {@code tickTime}. All servers need the same. The shorter it is, the longer a hold survives a
     * silent ensemble. A value below the servers' {@code tickTime} puts exclusion at risk.
     *
     * <p>By default, the client learns the tick in the background after its first connection. Unless configured
     * otherwise, each server grants sessions from 2 to 20 ticks. The client asks each server for both limits, in two
     * short sessions, and learns the tick if the limits of each server have this ratio. <b>Set the tick if the servers'
     * configuration sets {@code minSessionTimeout} or {@code maxSessionTimeout}:</b> the client would learn a wrong
     * tick from configured limits with the same ratio. Otherwise, and at most, the tick is half of the session timeout.
     *
     * @param tick positive
     * @return this
     * @throws IllegalArgumentException if it is not positive
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
     * Makes the backend, which connects on first use. Sends nothing.
     *
     * @return a new backend
     */
    public ZooKeeperBackend build() {
        CuratorFramework supplied = suppliedClient;
        return new ZooKeeperBackend(
                supplied == null ? ownClient() : suppliedClient(supplied), paths, sessionTimeout, new ServerTick(tick));
    }

    private static Connection.SourceFactory suppliedClient(CuratorFramework supplied) {
        return (listener, changed, clock) -> new SuppliedClient(supplied, listener);
    }

    private Connection.SourceFactory ownClient() {
        int timeout = (int) sessionTimeout.toMillis();
        CuratorFrameworkFactory.Builder builder = CuratorFrameworkFactory.builder()
                .connectString(connectString)
                .sessionTimeoutMs(timeout)
                .connectionTimeoutMs(timeout)
                .retryPolicy(new RetryOneTime(RETRY_PAUSE))
                // The caller has named the servers by addresses that this client can reach.
                .ensembleTracker(false)
                .zookeeperFactory(DirectClient.factory());
        return (listener, changed, clock) ->
                new OwnClient(() -> builder.zkClientConfig(config()).build(), connectString, listener, changed, clock);
    }

    /**
     * Bounds the wait for the answer to the end of the session. This is the only request for which ZooKeeper's client
     * itself waits. A silent server would keep the threads of a closed client for most of the session timeout.
     */
    private static ZKClientConfig config() {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKClientConfig.ZOOKEEPER_REQUEST_TIMEOUT, String.valueOf(LONGEST_SESSION_END.toMillis()));
        return config;
    }
}
