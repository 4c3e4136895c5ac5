package io.github.distlock.redis;

import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.DefaultRedisCredentialsProvider;
import redis.clients.jedis.JedisClientConfig;

/**
 * Makes the settings of the backend's own connections from an address, which takes precedence, and the caller's
 * settings. They are not in the builder, because that class must work without Jedis.
 */
final class ConnectionConfigs {
    private ConnectionConfigs() {}

    static JedisClientConfig ofServers(RedisAddress to, @Nullable JedisClientConfig config) {
        DefaultJedisClientConfig.Builder settings = settings(config, to.tls);
        if (to.password != null) {
            settings.credentialsProvider(credentials(to.user, to.password));
        }
        if (to.database >= 0) {
            settings.database(to.database);
        }
        return settings.build();
    }

    /**
     * Returns the settings for sentinels.
     *
     * @param config null to take TLS alone from the settings of the servers
     */
    static JedisClientConfig ofSentinels(
            RedisAddress to, @Nullable JedisClientConfig config, @Nullable JedisClientConfig servers) {
        DefaultJedisClientConfig.Builder settings = config == null
                ? tlsAlone(servers, to.tls)
                : settings(config, to.tls).database(0);
        if (to.sentinelPassword != null) {
            settings.credentialsProvider(credentials(to.sentinelUser, to.sentinelPassword));
        }
        return settings.build();
    }

    private static DefaultRedisCredentialsProvider credentials(@Nullable String user, String password) {
        return new DefaultRedisCredentialsProvider(new DefaultRedisCredentials(user, password));
    }

    /** Returns the settings of TLS, and the mapping of addresses. */
    @SuppressWarnings("deprecation") // Callers that still use these settings must not lose them.
    private static DefaultJedisClientConfig.Builder tlsAlone(@Nullable JedisClientConfig config, boolean tls) {
        DefaultJedisClientConfig.Builder settings = DefaultJedisClientConfig.builder();
        if (config != null) {
            settings.ssl(config.isSsl())
                    .sslSocketFactory(config.getSslSocketFactory())
                    .sslParameters(config.getSslParameters())
                    .sslOptions(config.getSslOptions())
                    .hostnameVerifier(config.getHostnameVerifier())
                    .hostAndPortMapper(config.getHostAndPortMapper());
        }
        return tls ? settings.ssl(true) : settings;
    }

    @SuppressWarnings("deprecation") // Other settings of TLS would replace those of the caller.
    private static DefaultJedisClientConfig.Builder settings(@Nullable JedisClientConfig config, boolean tls) {
        DefaultJedisClientConfig.Builder settings = DefaultJedisClientConfig.builder();
        if (config != null) {
            settings.from(config);
        }
        if (tls) {
            settings.ssl(true);
        }
        return settings;
    }
}
