package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.core.env.Environment;

/**
 * Makes the {@link LockClient} bean from the properties {@code distlock.…}. It backs off if the application has a bean
 * of this type, and uses the application's {@link LockBackend} bean if there is one.
 *
 * <p>The container closes the client by the bean's destroy method, after the web server has stopped, and after
 * executors and schedulers: see {@code ShutdownOrder}. So the last tasks can still acquire and release. The client has
 * no lifecycle of its own, because Spring stops and starts those of cached test contexts, and a closed client cannot
 * start again.
 */
@AutoConfiguration
@ConditionalOnProperty(prefix = "distlock", name = "enabled", matchIfMissing = true)
@EnableConfigurationProperties(DistlockProperties.class)
@ImportRuntimeHints(DistlockRuntimeHints.class)
@Import({
    RedisConfiguration.class,
    Boot3RedisConfiguration.class,
    Boot4RedisConfiguration.class,
    ZooKeeperConfiguration.class
})
public final class DistlockAutoConfiguration {
    private static final Logger LOG = LoggerFactory.getLogger(DistlockAutoConfiguration.class);

    /** For the container. */
    DistlockAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    LockClientBuilderConfigurer lockClientBuilderConfigurer(
            DistlockProperties properties,
            Environment environment,
            ObjectProvider<LockClientBuilderCustomizer> customizers) {
        return new LockClientBuilderConfigurer(
                properties, environment, customizers.orderedStream().toList());
    }

    @Bean
    BackendFactory distlockMemoryBackendFactory(ObjectProvider<InMemoryStore> store) {
        return new MemoryFactory(store);
    }

    private record MemoryFactory(ObjectProvider<InMemoryStore> store) implements BackendFactory {
        @Override
        public BackendKind kind() {
            return BackendKind.MEMORY;
        }

        @Override
        public Store create() {
            return new Store(store.getIfAvailable(InMemoryStore::new).connect(), "the memory of this process alone");
        }
    }

    /** The client closes it. */
    @Bean(destroyMethod = "")
    @ConditionalOnMissingBean({LockBackend.class, LockClient.class})
    LockBackend lockBackend(ObjectProvider<BackendFactory> factories, DistlockProperties properties) {
        BackendFactory.Store store = BackendFactory.choose(
                        factories.orderedStream().toList(), properties)
                .create();
        String namespace = properties.namespace();
        LOG.info(
                "Locks are in {}, {}",
                store.address(),
                namespace.isEmpty() ? "without a namespace" : "namespace \"" + namespace + "\"");
        return store.backend();
    }

    @Bean
    @ConditionalOnMissingBean
    LockClient lockClient(LockBackend backend, LockClientBuilderConfigurer configurer) {
        return configurer.configure(LockClient.builder(backend)).build();
    }

    @Bean
    ShutdownOrder distlockShutdownOrder(ConfigurableListableBeanFactory beans) {
        return new ShutdownOrder(beans);
    }
}
