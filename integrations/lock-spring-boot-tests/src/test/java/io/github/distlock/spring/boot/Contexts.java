package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.util.List;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.util.ClassUtils;

/** Application contexts with the auto-configuration. */
final class Contexts {
    private static final List<String> REDIS_OF_BOOT = List.of(
            "org.springframework.boot.autoconfigure.data.redis.RedisAutoConfiguration",
            "org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration");

    private Contexts() {}

    /** Returns a context in which both backends are on the class path, and Spring Data Redis is not configured. */
    static ApplicationContextRunner both() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        SslAutoConfiguration.class,
                        DistlockAutoConfiguration.class,
                        DistributedLocksAutoConfiguration.class));
    }

    /** Returns a context with Redis as its backend. */
    static ApplicationContextRunner redis() {
        return both().withClassLoader(new FilteredClassLoader("io.github.distlock.zookeeper"));
    }

    /** Returns a context with ZooKeeper as its backend. */
    static ApplicationContextRunner zooKeeper() {
        return both().withClassLoader(new FilteredClassLoader("io.github.distlock.redis"));
    }

    /** Returns a context with Redis as its backend, and with the auto-configuration of Spring Data Redis. */
    static ApplicationContextRunner springDataRedis() {
        Class<?>[] present = REDIS_OF_BOOT.stream()
                .filter(name -> ClassUtils.isPresent(name, Contexts.class.getClassLoader()))
                .map(name -> ClassUtils.resolveClassName(name, Contexts.class.getClassLoader()))
                .toArray(Class<?>[]::new);
        return redis().withConfiguration(AutoConfigurations.of(present));
    }

    /** Returns a context over a store in memory. */
    static ApplicationContextRunner memory() {
        return both().withUserConfiguration(Memory.class).withPropertyValues("distlock.request-timeout=2s");
    }

    /** A store in memory, with a client of another application beside it. */
    @Configuration(proxyBeanMethods = false)
    static class Memory {
        @Bean
        InMemoryStore store() {
            return new InMemoryStore();
        }

        @Bean(destroyMethod = "")
        LockBackend connection(InMemoryStore store) {
            return store.connect();
        }

        @Bean(defaultCandidate = false)
        LockClient other(InMemoryStore store) {
            return LockClient.create(store.connect());
        }
    }
}
