package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import java.util.Map;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/** The health of the store for Boot 3. {@link Boot4HealthAutoConfiguration} is the same for Boot 4. */
@AutoConfiguration(after = DistlockAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnEnabledHealthIndicator("distlock")
@ConditionalOnBean(LockClient.class)
public final class Boot3HealthAutoConfiguration {

    /** For the container. */
    Boot3HealthAutoConfiguration() {}

    @Bean
    HealthIndicator distlockHealthIndicator(ListableBeanFactory beans) {
        return new Indicator(new StoreHealth(beans));
    }

    private static final class Indicator extends AbstractHealthIndicator {
        private final StoreHealth store;

        Indicator(StoreHealth store) {
            super("the store of the locks did not answer");
            this.store = store;
        }

        @Override
        protected void doHealthCheck(Health.Builder health) {
            Map<String, LockException> failures = store.failures();
            if (failures.isEmpty()) {
                health.up();
            } else {
                health.down();
            }
            failures.forEach((client, failure) -> health.withDetail(client, failure.toString()));
        }
    }
}
