package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.UnifiedJedis;

/** Builds a {@link RedisBackend}. Not thread-safe. */
@SuppressWarnings("exports") // annotations for tools, which users do not need
public final class RedisBackendBuilder {
    private static final Duration SHORTEST_TOKEN_KEPT = Duration.ofSeconds(1);
    private static final Duration LONGEST_TOKEN_KEPT = Duration.ofDays(365);
    private static final int MOST_REPLICAS = 100;
    private static final int MOST_HANDOFFS = 1_000_000;
    private static final Duration SHORTEST_TURN = Duration.ofMillis(1);
    private static final Duration LONGEST_TURN = Duration.ofSeconds(1);

    private final @Nullable RedisAddress address;
    private final @Nullable UnifiedJedis client;
    private final @Nullable Function<ConnectionContext, Connections> connections;
    private String prefix = "distlock:";
    private @Nullable Function<String, String> keyOfName;
    private int maxConnections = 64;
    private Publisher publisher = Publisher.SCRIPT;
    private @Nullable JedisClientConfig config;
    private Duration tokenKept = Duration.ofHours(1);
    private @Nullable JedisClientConfig sentinelConfig;
    private ReplicaPolicy replicas = ReplicaPolicy.NONE;
    private ForeignTurns foreignTurns = ForeignTurns.NONE;

    RedisBackendBuilder(String uri) {
        this.address = new RedisAddress(uri);
        this.client = null;
        this.connections = null;
    }

    RedisBackendBuilder(UnifiedJedis client) {
        this.address = null;
        this.client = client;
        this.connections = null;
    }

    RedisBackendBuilder(Function<ConnectionContext, Connections> connections) {
        this.address = null;
        this.client = null;
        this.connections = connections;
    }

    /**
     * Sets the beginning of all keys and channels. The lock's name follows, with braces, spaces, percent signs and
     * control characters in percent code, so that the keys of different names differ.
     *
     * @param prefix {@code distlock:} by default; with a hash tag such as {@code {app}:} all locks are in one slot of a
     *     cluster
     * @return this
     * @throws IllegalArgumentException if the prefix contains a control character, or a brace that does not belong to a
     *     hash tag
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder keyPrefix(String prefix) {
        requireNonNull(prefix, "prefix");
        boolean braces = prefix.indexOf('{') >= 0 || prefix.indexOf('}') >= 0;
        if (braces && !LockKeys.hasHashTag(prefix)) {
            throw new IllegalArgumentException("prefix has a brace that does not belong to a hash tag: " + prefix);
        }
        if (prefix.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("prefix has a control character: " + prefix);
        }
        this.prefix = prefix;
        return this;
    }

    /**
     * Sets the mapping from names to lock keys, for keys that other clients already use. The mapping must give each
     * name its own key, and always the same one, because the backend remembers it. A key that contains a closing brace
     * must have a hash tag. The {@linkplain #keyPrefix prefix} then begins only the helper keys and channels.
     * {@link io.github.distlock.LockInspector#list} is not supported, because nothing maps keys back to names.
     *
     * @param keyOfName maps a lock's name to its key; any thread may call it
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder keys(Function<String, String> keyOfName) {
        this.keyOfName = requireNonNull(keyOfName, "keyOfName");
        return this;
    }

    /**
     * Sets how many requests may be under way at once over the backend's own connections to each server; others wait.
     * Renewals and heartbeats have up to four other connections to each server, and messages have one.
     *
     * @param most at least 1; 64 by default
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder maxConnections(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("most must be at least 1, but was " + most);
        }
        maxConnections = most;
        return this;
    }

    /**
     * Sets credentials, TLS, the name and the database of the backend's own connections. The URI takes precedence. The
     * timeouts are those of each request, and the protocol is RESP2. The backend sends no {@code HELLO} and no
     * {@code CLIENT SETINFO}.
     *
     * @param config the settings
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder clientConfig(JedisClientConfig config) {
        this.config = requireNonNull(config, "config");
        return this;
    }

    /**
     * Sets credentials, TLS and the name of the connections to the sentinels. The URI takes precedence. Without these
     * settings, the backend connects to sentinels with the TLS of {@link #clientConfig} and without its credentials.
     *
     * @param config the settings
     * @return this
     * @throws IllegalStateException if the URI names no sentinels
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder sentinelConfig(JedisClientConfig config) {
        requireNonNull(config, "config");
        if (address == null || address.kind != RedisAddress.Kind.SENTINEL) {
            throw new IllegalStateException("sentinelConfig needs a URI that begins with redis-sentinel://");
        }
        this.sentinelConfig = config;
        return this;
    }

    /**
     * Lets this backend publish the messages of handoffs itself, with one more request for each handoff. By default,
     * the scripts publish them. Some proxies in front of Redis refuse scripts that contain {@code PUBLISH}.
     *
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder publishFromClient() {
        publisher = Publisher.CLIENT;
        return this;
    }

    /**
     * Sets for how long the server keeps the last fencing token of a name that nobody holds. The time counts from the
     * end of the lease. The server keeps one small key for each name that was used within this time.
     *
     * <p>While the server has the token, the next one is greater even if the server's clock was set back. Later, only
     * the clock makes it greater. So the time must be longer than any clock of a server is ever set back, or than the
     * clock of a replica that becomes primary is behind. The first acquire of a name without a token takes two
     * requests. All clients should have the same setting, because each grant sets the time of its own client.
     *
     * @param time at least 1 s and at most 365 days, rounded up to milliseconds; an hour by default
     * @return this
     * @throws IllegalArgumentException if the time is out of these bounds
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder keepTokensFor(Duration time) {
        requireNonNull(time, "time");
        if (time.compareTo(SHORTEST_TOKEN_KEPT) < 0 || time.compareTo(LONGEST_TOKEN_KEPT) > 0) {
            throw new IllegalArgumentException("time must be from 1 s to 365 days, but was " + time);
        }
        tokenKept = time;
        return this;
    }

    /**
     * Counts a grant only after replicas have confirmed that they have it, so that fewer grants are lost by a failover.
     * The last call of this method or of {@link #awaitAllReplicas} counts. Without either, no replica has to confirm
     * anything.
     *
     * <p>After each grant, the backend sends {@code WAIT} on the same connection, for at most half of the request's
     * time. If too few replicas confirm the grant, the acquire asks again until its time is over. Then it fails, and
     * the hold is withdrawn. A handoff takes one more request. Renewals, downgrades and releases do not wait for
     * replicas.
     *
     * <p>This does not make Redis consistent: a replica without the grant may become the primary all the same, and a
     * replica that has confirmed the grant may lose its data.
     *
     * @param least how many replicas must confirm a grant: from 1 to 100
     * @return this
     * @throws IllegalArgumentException if the number is out of these bounds
     * @throws IllegalStateException if the backend is over a caller-supplied client
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder awaitReplicas(int least) {
        if (least < 1 || least > MOST_REPLICAS) {
            throw new IllegalArgumentException("least must be from 1 to " + MOST_REPLICAS + ", but was " + least);
        }
        return await(new ReplicaPolicy(least, false));
    }

    /**
     * Counts a grant only after all replicas have confirmed it that are connected to the primary then, and at least
     * one. Otherwise as {@link #awaitReplicas}.
     *
     * @return this
     * @throws IllegalStateException as for {@link #awaitReplicas}
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder awaitAllReplicas() {
        return await(new ReplicaPolicy(1, true));
    }

    /**
     * Frees a lock for a moment in some handoffs, so that foreign clients can acquire it. These are not in the queue:
     * they acquire the same key with {@code SET NX PX}, and poll. Without this setting, a lock that goes from waiter to
     * waiter is never free for them.
     *
     * <p>Each handoff of this backend's clients has the chance 1/<i>handoffs</i> to leave the lock free for the given
     * time before the first waiter acquires it. If a foreign client acquires it, the first waiter polls from then on.
     * If none does, the lock was idle for this time. The order of waiters does not change. All clients of this library
     * respect the pause, whatever their settings are.
     *
     * <p>A handoff goes from client to client. Local handoffs between the threads of one client do not count, and
     * {@link io.github.distlock.LockClientBuilder#localHandoff} limits them. A release frees the lock anyway if no
     * client waits. Readers and permits leave the lock free only when the last of them is released.
     *
     * @param handoffs from 1 to 1,000,000
     * @param time for how long, from 1 ms to 1 s, rounded up to milliseconds: longer than the foreign clients' pause
     *     between two polls
     * @return this
     * @throws IllegalArgumentException if a value is out of these bounds
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder yieldToForeignClients(int handoffs, Duration time) {
        requireNonNull(time, "time");
        if (handoffs < 1 || handoffs > MOST_HANDOFFS) {
            throw new IllegalArgumentException("handoffs must be from 1 to " + MOST_HANDOFFS + ", but was " + handoffs);
        }
        if (time.compareTo(SHORTEST_TURN) < 0 || time.compareTo(LONGEST_TURN) > 0) {
            throw new IllegalArgumentException("time must be from 1 ms to 1 s, but was " + time);
        }
        foreignTurns = new ForeignTurns(handoffs, time);
        return this;
    }

    private RedisBackendBuilder await(ReplicaPolicy policy) {
        if (address == null) {
            throw new IllegalStateException("awaiting replicas needs a backend with its own connections");
        }
        replicas = policy;
        return this;
    }

    /**
     * Makes the backend. Sends nothing.
     *
     * @return a new backend
     * @throws IllegalArgumentException if {@link #keys} is set and the {@link #keyPrefix} has a hash tag, because
     *     helper keys must be in the slot of the lock key; or if the {@link #clientConfig} for a cluster names a
     *     database, which clusters do not have; or if the {@link #clientConfig} for a Unix socket has TLS
     */
    public RedisBackend build() {
        Function<String, String> mapping = keyOfName;
        if (mapping != null && LockKeys.hasHashTag(prefix)) {
            throw new IllegalArgumentException("keyPrefix must not have a hash tag if keys is set, but is " + prefix);
        }
        boolean isCluster = address != null && address.kind == RedisAddress.Kind.CLUSTER;
        if (isCluster && config != null && config.getDatabase() != 0) {
            throw new IllegalArgumentException(
                    "clientConfig must not have a database for a cluster, but has " + config.getDatabase());
        }
        boolean isUnixSocket = address != null && address.kind == RedisAddress.Kind.UNIX_SOCKET;
        if (isUnixSocket && config != null && (config.isSsl() || config.getSslOptions() != null)) {
            throw new IllegalArgumentException("clientConfig must not have TLS for a Unix socket");
        }
        return new RedisBackend(this::redis, mapping, prefix, tokenKept, !replicas.isNone(), foreignTurns);
    }

    // For a quorum

    boolean leadsToOneServer() {
        return address != null && address.kind == RedisAddress.Kind.SERVER;
    }

    /** Returns host and port, without credentials. */
    String serverName() {
        return requireNonNull(address).servers.get(0).toString();
    }

    QuorumServer quorumServer(RedisContext context) {
        Redis redis = redis(context);
        String name = address == null ? redis.toString() : serverName();
        return new QuorumServer(name, redis, maxConnections, context);
    }

    Function<String, LockKeys> keysOfName() {
        String begin = prefix;
        return name -> LockKeys.of(name, each -> begin + LockKeys.encode(each), begin);
    }

    Duration tokenKept() {
        return tokenKept;
    }

    Redis redis(RedisContext context) {
        Script.Settings settings = new Script.Settings(publisher, RedisContender.millis(tokenKept));
        if (connections != null) {
            return new OtherConnections(connections.apply(context), settings);
        }
        if (client != null) {
            return new SuppliedClient(client, context, settings);
        }
        RedisAddress to = requireNonNull(address);
        LateExchanges late = new LateExchanges(context);
        return new OwnConnections(topology(to, context, late, settings), late, context);
    }

    private Topology topology(RedisAddress to, RedisContext context, LateExchanges late, Script.Settings settings) {
        Node.Shared nodes = new Node.Shared(
                ConnectionConfigs.ofServers(to, config),
                to.kind == RedisAddress.Kind.SENTINEL ? ServerConnection.Check.PRIMARY : ServerConnection.Check.ALIVE,
                maxConnections,
                settings,
                replicas,
                context,
                late);
        return switch (to.kind) {
            case SERVER, UNIX_SOCKET -> new SingleServer(to.servers.get(0), nodes);
            case SENTINEL ->
                new SentinelPrimary(
                        to.servers, to.primary, ConnectionConfigs.ofSentinels(to, sentinelConfig, config), nodes);
            case CLUSTER -> new ClusterNodes(to.servers, nodes);
        };
    }
}
