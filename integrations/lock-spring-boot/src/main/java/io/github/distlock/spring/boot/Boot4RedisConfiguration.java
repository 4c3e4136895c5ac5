package io.github.distlock.spring.boot;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spring.boot.RedisAddress.Credentials;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The connection details of Boot 4. {@link Boot3RedisConfiguration} is the same for Boot 3. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({RedisBackend.class, DataRedisConnectionDetails.class})
class Boot4RedisConfiguration {

    @Bean
    RedisAddress.Source distlockRedisAddressOfBoot4(ObjectProvider<DataRedisConnectionDetails> details) {
        return () -> address(details.getIfAvailable());
    }

    private static @Nullable RedisAddress address(@Nullable DataRedisConnectionDetails details) {
        if (details == null) {
            return null;
        }
        Credentials servers = new Credentials(details.getUsername(), details.getPassword());
        DataRedisConnectionDetails.Sentinel sentinel = details.getSentinel();
        if (sentinel != null) {
            return new RedisAddress(
                    RedisAddress.sentinels(nodes(sentinel.getNodes()), sentinel.getMaster(), sentinel.getDatabase()),
                    servers,
                    new Credentials(sentinel.getUsername(), sentinel.getPassword()),
                    details.getSslBundle());
        }
        DataRedisConnectionDetails.Cluster cluster = details.getCluster();
        if (cluster != null) {
            return new RedisAddress(
                    RedisAddress.cluster(nodes(cluster.getNodes())), servers, Credentials.NONE, details.getSslBundle());
        }
        DataRedisConnectionDetails.Standalone server = details.getStandalone();
        return server == null
                ? null
                : new RedisAddress(
                        RedisAddress.server(server.getHost(), server.getPort(), server.getDatabase()),
                        servers,
                        Credentials.NONE,
                        details.getSslBundle());
    }

    private static List<String> nodes(List<DataRedisConnectionDetails.Node> nodes) {
        return nodes.stream()
                .map(node -> RedisAddress.node(node.host(), node.port()))
                .toList();
    }
}
