package io.github.distlock.spring.boot;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.RedisBackendBuilder;
import io.github.distlock.spring.boot.RedisAddress.Credentials;
import java.util.stream.Stream;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslOptions;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.DefaultRedisCredentialsProvider;
import redis.clients.jedis.JedisClientConfig;

/** Makes Redis backends. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(RedisBackend.class)
class RedisConfiguration {

    @Bean
    BackendFactory distlockRedisBackendFactory(
            DistlockProperties properties,
            ObjectProvider<RedisAddress.Source> sources,
            ObjectProvider<SslBundles> bundles,
            ObjectProvider<RedisBackendBuilderCustomizer> customizers) {
        return new Factory(properties, sources, bundles, customizers);
    }

    private record Factory(
            DistlockProperties properties,
            ObjectProvider<RedisAddress.Source> sources,
            ObjectProvider<SslBundles> bundles,
            ObjectProvider<RedisBackendBuilderCustomizer> customizers)
            implements BackendFactory {

        @Override
        public BackendKind kind() {
            return BackendKind.REDIS;
        }

        @Override
        public Store create() {
            RedisAddress address = address();
            RedisBackendBuilder builder =
                    builder(address.uri()).maxConnections(properties.redis().maxConnections());
            builder.clientConfig(config(address.servers(), address.tls()));
            if (address.uri().matches("(?i)rediss?-sentinel:.*")) {
                builder.sentinelConfig(config(address.sentinels(), address.tls()));
            }
            if (!properties.namespace().isEmpty()) {
                builder.keyPrefix("distlock-" + properties.namespace() + ":");
            }
            if (properties.redis().awaitReplicas() != 0) {
                builder.awaitReplicas(properties.redis().awaitReplicas());
            }
            if (properties.redis().publishFromClient()) {
                builder.publishFromClient();
            }
            customizers.orderedStream().forEach(each -> each.customize(builder));
            return new Store(builder.build(), "Redis at " + address);
        }

        private RedisAddress address() {
            DistlockProperties.Redis redis = properties.redis();
            if (redis.url() != null) {
                String bundle = redis.ssl().bundle();
                return new RedisAddress(
                        redis.url(),
                        new Credentials(redis.username(), redis.password()),
                        Credentials.NONE,
                        bundle == null ? null : bundles.getObject().getBundle(bundle));
            }
            return sources.orderedStream()
                    .flatMap(source -> Stream.ofNullable(source.find()))
                    .findFirst()
                    .orElseThrow(() -> new LockStartUpException(
                            "distlock does not know where Redis is.",
                            "Set distlock.redis.url, for example to redis://localhost:6379. With spring-data-redis on"
                                    + " the class path, the properties spring.data.redis.… work, too."));
        }

        private static RedisBackendBuilder builder(String uri) {
            try {
                return RedisBackend.builder(uri);
            } catch (IllegalArgumentException e) {
                throw new LockStartUpException(
                        "distlock cannot read the address of Redis: " + e.getMessage() + ".",
                        "Correct distlock.redis.url.",
                        e);
            } catch (IllegalStateException e) {
                throw new LockStartUpException(
                        "distlock cannot use this Jedis: " + e.getMessage() + ". Spring Boot "
                                + SpringBootVersion.getVersion() + " manages the version of Jedis.",
                        "Set <jedis.version>7.4.1</jedis.version> among the properties of your POM, or"
                                + " ext['jedis.version'] = '7.4.1' in Gradle.",
                        e);
            }
        }

        @SuppressWarnings("deprecation") // Jedis has no other setting for the context of a bundle.
        private static JedisClientConfig config(Credentials credentials, @Nullable SslBundle tls) {
            DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder();
            String password = credentials.password();
            if (password != null) {
                config.credentialsProvider(
                        new DefaultRedisCredentialsProvider(new DefaultRedisCredentials(credentials.user(), password)));
            }
            if (tls != null) {
                config.ssl(true).sslSocketFactory(tls.createSslContext().getSocketFactory());
                SslOptions options = tls.getOptions();
                if (options.isSpecified()) {
                    SSLParameters parameters = new SSLParameters(options.getCiphers(), options.getEnabledProtocols());
                    parameters.setEndpointIdentificationAlgorithm("HTTPS");
                    config.sslParameters(parameters);
                }
            }
            return config.build();
        }
    }
}
