package io.github.distlock.spring;

import static io.github.distlock.spring.StartUpTest.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.memory.InMemoryStore;
import org.junit.jupiter.api.Test;
import org.springframework.aop.Advisor;
import org.springframework.aop.framework.Advised;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.retry.annotation.EnableRetry;
import org.springframework.retry.annotation.Retryable;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authorization.method.AuthorizationManagerBeforeMethodInterceptor;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

/** An order in which {@link OrderTest} loses an update fails at start-up, with the method and the remedy. */
class OrderAtStartUpTest {

    private static String on(String method, String problem) {
        return "@DistributedLocked on " + OrderAtStartUpTest.class.getName() + "$" + method + ": " + problem;
    }

    @Configuration(proxyBeanMethods = false)
    @EnableCaching(order = 0)
    static class CacheOutside {
        @Bean
        CacheManager caches() {
            return new ConcurrentMapCacheManager();
        }
    }

    static class Cached {
        @Cacheable("values")
        @DistributedLocked(key = "k")
        public String run() {
            return "value";
        }
    }

    static class LockedBesideACache {
        @DistributedLocked(key = "k")
        public void run() {}

        @Cacheable("values")
        public String cached() {
            return "value";
        }
    }

    @Test
    void aCacheOutsideOfTheLock() {
        assertThat(failure(CacheOutside.class, Cached.class))
                .isEqualTo(on(
                        "Cached.run()",
                        "the cache of the method stands outside of the lock, and belongs inside; use a greater number"
                                + " in @EnableCaching(order = …), or another distlock.annotation.order"));
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement(order = 0)
    static class TransactionOutside {}

    static class InTransaction {
        @Transactional
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void aTransactionOutsideOfTheLock() {
        assertThat(failure(TransactionOutside.class, Register.class, InTransaction.class))
                .isEqualTo(on(
                        "InTransaction.run()",
                        "the transaction of the method stands outside of the lock, and belongs inside; use a greater"
                                + " number in @EnableTransactionManagement(order = …), or another"
                                + " distlock.annotation.order"));
    }

    @Configuration(proxyBeanMethods = false)
    @EnableRetry
    static class RetryInside {}

    @Configuration(proxyBeanMethods = false)
    @EnableRetry(order = Ordered.LOWEST_PRECEDENCE - 200)
    static class RetryOutside {}

    static class Retried {
        @Retryable
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void retriesInsideOfTheLock() {
        assertThat(failure(RetryInside.class, Retried.class))
                .isEqualTo(on(
                        "Retried.run()",
                        "the retry of the method stands inside of the lock, and belongs outside; use"
                                + " @EnableRetry(order = Ordered.LOWEST_PRECEDENCE - 200), or another"
                                + " distlock.annotation.order"));
        Application.of(RetryOutside.class, Retried.class).close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAsync(order = Ordered.HIGHEST_PRECEDENCE)
    static class AsyncInside {}

    static class InTheBackground {
        @Async
        @DistributedLocked(key = "k")
        public void run() {}
    }

    /** An early post-processor makes the inner one of two proxies. */
    @Test
    void asynchronousExecutionInsideOfTheLock() {
        assertThatThrownBy(() -> Application.over(new InMemoryStore())
                        .startPlain(AsyncInside.class, Application.Locks.class, InTheBackground.class)
                        .close())
                .hasMessage(on(
                        "InTheBackground.run()",
                        "the asynchronous execution of the method stands inside of the lock, and belongs outside; use"
                                + " the default order of @EnableAsync, or another distlock.annotation.order"));
    }

    @Configuration(proxyBeanMethods = false)
    static class RightsInside {
        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static Advisor rights() {
            AuthorizationManagerBeforeMethodInterceptor rights =
                    AuthorizationManagerBeforeMethodInterceptor.preAuthorize();
            rights.setOrder(Ordered.LOWEST_PRECEDENCE);
            return rights;
        }
    }

    static class Secured {
        @PreAuthorize("hasRole('CLERK')")
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void checksOfRightsInsideOfTheLock() {
        assertThat(failure(RightsInside.class, Secured.class))
                .isEqualTo(on(
                        "Secured.run()",
                        "the authorization of the method stands inside of the lock, and belongs outside; use a smaller"
                                + " number as the order of the method security, or another"
                                + " distlock.annotation.order"));
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAsync
    @EnableCaching
    @EnableTransactionManagement
    static class Defaults {
        @Bean
        CacheManager caches() {
            return new ConcurrentMapCacheManager();
        }
    }

    static class Everything {
        @Async
        @Transactional
        @Cacheable("values")
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void theDefaultOrdersOfSpringAreRight() {
        try (Application application = Application.of(Defaults.class, Register.class, Everything.class)) {
            assertThat(((Advised) application.bean(Everything.class)).getAdvisors())
                    .hasSize(4);
        }
    }

    @Test
    void theOrderCountsForMethodsWithBothAlone() {
        Application.of(CacheOutside.class, LockedBesideACache.class).close();
    }

    @Test
    void thePropertyChangesTheOrder() {
        Application.over(new InMemoryStore())
                .with("distlock.annotation.order", "-1")
                .start(CacheOutside.class, Cached.class)
                .close();
    }
}
