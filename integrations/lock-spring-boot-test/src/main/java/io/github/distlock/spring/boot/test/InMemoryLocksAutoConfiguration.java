package io.github.distlock.spring.boot.test;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spring.boot.DistlockAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;

/** The beans of {@link AutoConfigureInMemoryLocks}. Each backs off if the application has one. */
@AutoConfiguration(before = DistlockAutoConfiguration.class)
public final class InMemoryLocksAutoConfiguration {

    /** For the container. */
    InMemoryLocksAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    InMemoryStore inMemoryStore() {
        return new InMemoryStore();
    }

    /** The application's client closes it. */
    @Bean(destroyMethod = "")
    @Primary
    @ConditionalOnMissingBean
    InMemoryBackend inMemoryLockBackend(InMemoryStore inMemoryStore) {
        return inMemoryStore.connect();
    }

    @Bean(defaultCandidate = false)
    @ConditionalOnMissingBean(name = "otherLockClient")
    LockClient otherLockClient(InMemoryStore inMemoryStore) {
        return LockClient.builder(inMemoryStore.connect()).name("other").build();
    }
}
