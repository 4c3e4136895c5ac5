package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.DefaultRedisCredentialsProvider;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.JedisURIHelper;

/** Settings of a {@link RedisBackend}. Not thread-safe. */
@SuppressWarnings("exports") // annotations for tools, which users need not have
public final class RedisBackendBuilder {
    private static final int DEFAULT_PORT = 6379;

    private final @Nullable URI uri;
    private final @Nullable UnifiedJedis client;
    private Function<String, String> keyOfName = name -> "distlock:" + LockKeys.encode(name);
    private int maxConnections = 64;
    private @Nullable JedisClientConfig config;

    RedisBackendBuilder(String uri) {
        this.uri = parsed(uri);
        this.client = null;
    }

    RedisBackendBuilder(UnifiedJedis client) {
        this.uri = null;
        this.client = client;
    }

    private static URI parsed(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("uri must be redis://host:port, but is no URI: " + e.getReason(), e);
        }
        boolean scheme = JedisURIHelper.isRedisScheme(uri) || JedisURIHelper.isRedisSSLScheme(uri);
        if (!scheme || uri.getHost() == null || uri.getHost().isEmpty()) {
            throw new IllegalArgumentException(
                    "uri must be redis://host:port or rediss://host:port, with a host, but was "
                            + withoutPassword(uri));
        }
        return uri;
    }

    private static String withoutPassword(URI uri) {
        String credentials = uri.getRawUserInfo();
        return credentials == null ? uri.toString() : uri.toString().replace(credentials + "@", "…@");
    }

    /**
     * What the keys of locks begin with. Names follow in percent code where they have braces, spaces, percent signs or
     * control characters, so that distinct names stay distinct.
     *
     * @param prefix {@code distlock:} by default; with a hash tag such as {@code {app}:} all locks are in one slot of a
     *     cluster
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder keyPrefix(String prefix) {
        requireNonNull(prefix, "prefix");
        keyOfName = name -> prefix + LockKeys.encode(name);
        return this;
    }

    /**
     * Which key a lock has, for keys that other clients use already. The mapping must give each name a key of its own.
     * A key may have a hash tag; otherwise it must not contain a closing brace.
     *
     * @param keyOfName from a lock's name to its key; called from any thread
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder keys(Function<String, String> keyOfName) {
        this.keyOfName = requireNonNull(keyOfName, "keyOfName");
        return this;
    }

    /**
     * How many requests may be under way at once over connections of the backend's own; more wait. Renewals and
     * heartbeats have up to four connections beside these, and messages one.
     *
     * @param most at least 1; 64 by default
     * @return this
     * @throws IllegalArgumentException when it is less
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
     * Credentials, TLS and whatever else the backend's own connections need. What the URI says goes before it;
     * time-outs are those of each request.
     *
     * @param config Jedis's
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisBackendBuilder clientConfig(JedisClientConfig config) {
        this.config = requireNonNull(config, "config");
        return this;
    }

    /**
     * The backend. Sends nothing.
     *
     * @return a new backend
     */
    public RedisBackend build() {
        return new RedisBackend(this::redis, keyOfName);
    }

    private Redis redis(ThreadFactory threads) {
        if (client != null) {
            return new LentClient(client, threads, LockClock.system());
        }
        URI server = requireNonNull(uri);
        int port = server.getPort() < 0 ? DEFAULT_PORT : server.getPort();
        return new OwnConnections(
                new HostAndPort(server.getHost(), port),
                connectionConfig(server),
                maxConnections,
                threads,
                LockClock.system());
    }

    @SuppressWarnings("deprecation") // Who still uses these must not lose them.
    private static boolean hasTls(@Nullable JedisClientConfig config) {
        return config != null
                && (config.getSslOptions() != null
                        || config.getSslSocketFactory() != null
                        || config.getSslParameters() != null);
    }

    private JedisClientConfig connectionConfig(URI server) {
        DefaultJedisClientConfig.Builder settings = DefaultJedisClientConfig.builder();
        if (config != null) {
            settings.from(config);
        }
        settings.protocol(RedisProtocol.RESP2);
        if (JedisURIHelper.isRedisSSLScheme(server) && !hasTls(config)) {
            settings.sslOptions(SslOptions.builder().build());
        }
        if (JedisURIHelper.getPassword(server) != null) {
            settings.credentialsProvider(new DefaultRedisCredentialsProvider(
                    new DefaultRedisCredentials(JedisURIHelper.getUser(server), JedisURIHelper.getPassword(server))));
        }
        if (JedisURIHelper.hasDbIndex(server)) {
            settings.database(JedisURIHelper.getDBIndex(server));
        }
        return settings.build();
    }
}
