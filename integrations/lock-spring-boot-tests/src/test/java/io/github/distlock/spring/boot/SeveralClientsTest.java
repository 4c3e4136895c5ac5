package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.LockedMethod;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** Applications that change settings by code, and applications with several clients. */
class SeveralClientsTest {

    @Test
    void annotationsNameTheBeanOfTheirClient() {
        Contexts.memory()
                .withUserConfiguration(Reports.class)
                .withBean(Jobs.class)
                .run(context -> {
                    LockClient reports = context.getBean("reportLocks", LockClient.class);
                    LockClient locks = context.getBean("lockClient", LockClient.class);

                    assertThat(context.getBean(Jobs.class).reportIn(reports)).isTrue();
                    assertThat(context.getBean(Jobs.class).reportIn(locks)).isFalse();
                    assertThat(context.getBean(LockClient.class)).isSameAs(locks);
                });
    }

    @Test
    void propertiesAndCustomizersReachAllClientsInOrder() {
        Contexts.memory()
                .withUserConfiguration(Reports.class, Customizers.class)
                .withPropertyValues("distlock.lease=5s", "distlock.client-name=property")
                .run(context -> {
                    for (String bean : new String[] {"lockClient", "reportLocks"}) {
                        LockClient client = context.getBean(bean, LockClient.class);
                        try (LockHandle held = client.lock("a").acquire()) {
                            assertThat(client.lock("a").options().lease()).isEqualTo(Duration.ofSeconds(5));
                            assertThat(client.inspector()
                                            .inspect("a")
                                            .holders()
                                            .get(0)
                                            .owner()
                                            .client())
                                    .isEqualTo("second");
                        }
                    }
                });
    }

    @Test
    void healthAsksTheStoresOfAllClients() {
        Contexts.memory().withUserConfiguration(Reports.class).run(context -> {
            StoreHealth health = new StoreHealth(context);
            InMemoryBackend reports = context.getBean("reportBackend", InMemoryBackend.class);
            assertThat(health.failures()).isEmpty();

            reports.pause();
            assertThat(health.failures()).containsOnlyKeys("reportLocks");
            reports.resume();
        });
    }

    @Test
    void theEndpointAsksTheClientThatAParameterNames() {
        Contexts.memory().withUserConfiguration(Reports.class).run(context -> {
            LocksEndpoint endpoint = new LocksEndpoint(context);
            LockClient reports = context.getBean("reportLocks", LockClient.class);

            try (LockHandle held = reports.lock("report").acquire()) {
                assertThat(endpoint.locks(null, null, "reportLocks").toString()).contains("[report]");
                assertThat(endpoint.locks(null, null, null).toString()).contains("[]");
            }
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class Reports {
        @Bean(defaultCandidate = false, destroyMethod = "")
        InMemoryBackend reportBackend() {
            return new InMemoryStore().connect();
        }

        @Bean(defaultCandidate = false)
        LockClient reportLocks(
                LockClientBuilderConfigurer configurer, @Qualifier("reportBackend") InMemoryBackend backend) {
            return configurer.configure(LockClient.builder(backend)).build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Customizers {
        @Bean
        @Order(2)
        LockClientBuilderCustomizer second() {
            return builder -> builder.name("second");
        }

        @Bean
        @Order(1)
        LockClientBuilderCustomizer first() {
            return builder -> builder.name("first");
        }
    }

    static class Jobs {
        @DistributedLocked(key = "report", client = "reportLocks")
        public boolean reportIn(LockClient client) {
            return client.inspector().inspect("report").holders().size() == 1
                    && LockedMethod.currentHandle().isHeld();
        }
    }
}
