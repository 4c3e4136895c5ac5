package io.github.distlock.spring.boot;

import io.github.distlock.zookeeper.ZooKeeperBackend;
import io.github.distlock.zookeeper.ZooKeeperBackendBuilder;
import java.time.Duration;
import java.util.Optional;
import org.apache.curator.framework.CuratorFramework;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Makes ZooKeeper backends. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(ZooKeeperBackend.class)
class ZooKeeperConfiguration {

    @Bean
    BackendFactory distlockZooKeeperBackendFactory(
            DistlockProperties properties,
            ObjectProvider<CuratorFramework> curator,
            ObjectProvider<ZooKeeperBackendBuilderCustomizer> customizers) {
        return new Factory(properties, curator, customizers);
    }

    private record Factory(
            DistlockProperties properties,
            ObjectProvider<CuratorFramework> curator,
            ObjectProvider<ZooKeeperBackendBuilderCustomizer> customizers)
            implements BackendFactory {

        @Override
        public BackendKind kind() {
            return BackendKind.ZOOKEEPER;
        }

        @Override
        public Store create() {
            String servers = properties.zookeeper().connectString();
            return servers != null
                    ? store(builder(servers), "ZooKeeper at " + servers)
                    : store(ZooKeeperBackend.builder(client()), "ZooKeeper of the CuratorFramework bean");
        }

        private Store store(ZooKeeperBackendBuilder builder, String address) {
            if (!properties.namespace().isEmpty()) {
                builder.basePath("/distlock-" + properties.namespace());
            }
            Duration timeout = properties.zookeeper().sessionTimeout();
            if (timeout != null) {
                builder.sessionTimeout(timeout);
            }
            customizers.orderedStream().forEach(each -> each.customize(builder));
            return new Store(builder.build(), address);
        }

        private CuratorFramework client() {
            return Optional.ofNullable(curator.getIfAvailable())
                    .orElseThrow(() -> new LockStartUpException(
                            "distlock does not know where ZooKeeper is.",
                            "Set distlock.zookeeper.connect-string, for example to localhost:2181, or add a bean of the"
                                    + " type CuratorFramework."));
        }

        private static ZooKeeperBackendBuilder builder(String servers) {
            try {
                return ZooKeeperBackend.builder(servers);
            } catch (IllegalArgumentException e) {
                throw new LockStartUpException(
                        "distlock cannot read the address of ZooKeeper: " + e.getMessage() + ".",
                        "Correct distlock.zookeeper.connect-string.",
                        e);
            }
        }
    }
}
