package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.spi.LockBackend;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.test.context.ContextConfiguration;

/** Tests of a slice of an application whose properties name no store. Each generation has its own annotations. */
final class SliceRules {
    private SliceRules() {}

    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {
        @Bean
        PropertiesTest.Orders orders() {
            return new PropertiesTest.Orders();
        }
    }

    @ContextConfiguration(classes = Application.class)
    abstract static class WithoutLocks {
        @Autowired
        private ApplicationContext context;

        @Test
        void noLockClientIsStarted() {
            assertThat(context.getBeansOfType(LockClient.class)).isEmpty();
            assertThat(context.getBeansOfType(LockBackend.class)).isEmpty();
        }
    }

    @ContextConfiguration(classes = Application.class)
    abstract static class WithLocks {
        @Autowired
        private PropertiesTest.Orders orders;

        @Test
        void methodsTakeTheLocksOfTheTest() {
            assertThat(orders.ship(42)).isEqualTo("orders/42");
        }
    }
}
