package io.github.distlock.spring.boot;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spring.boot.RedisAddress.Credentials;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.data.redis.RedisConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The connection details of Boot 3. {@link Boot4RedisConfiguration} is the same for Boot 4. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass({RedisBackend.class, RedisConnectionDetails.class})
class Boot3RedisConfiguration {

    @Bean
    RedisAddress.Source distlockRedisAddressOfBoot3(ObjectProvider<RedisConnectionDetails> details) {
        return () -> address(details.getIfAvailable());
    }

    private static @Nullable RedisAddress address(@Nullable RedisConnectionDetails details) {
        if (details == null) {
            return null;
        }
        Credentials servers = new Credentials(details.getUsername(), details.getPassword());
        RedisConnectionDetails.Sentinel sentinel = details.getSentinel();
        if (sentinel != null) {
            return new RedisAddress(
                    RedisAddress.sentinels(nodes(sentinel.getNodes()), sentinel.getMaster(), sentinel.getDatabase()),
                    servers,
                    new Credentials(sentinel.getUsername(), sentinel.getPassword()),
                    sentinel.getSslBundle());
        }
        RedisConnectionDetails.Cluster cluster = details.getCluster();
        if (cluster != null) {
            return new RedisAddress(
                    RedisAddress.cluster(nodes(cluster.getNodes())), servers, Credentials.NONE, cluster.getSslBundle());
        }
        RedisConnectionDetails.Standalone server = details.getStandalone();
        return server == null
                ? null
                : new RedisAddress(
                        RedisAddress.server(server.getHost(), server.getPort(), server.getDatabase()),
                        servers,
                        Credentials.NONE,
                        server.getSslBundle());
    }

    private static List<String> nodes(List<RedisConnectionDetails.Node> nodes) {
        return nodes.stream()
                .map(node -> RedisAddress.node(node.host(), node.port()))
                .toList();
    }
}
