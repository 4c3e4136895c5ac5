package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.micrometer.LockMetrics;
import io.github.distlock.micrometer.LockMetricsBuilder;
import io.github.distlock.spring.DistributedLockKeys;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;

/**
 * Measures each client that has the settings of {@link LockClientBuilderConfigurer}, if {@code lock-micrometer} is on
 * the class path and there is a {@link MeterRegistry} bean. Of several registries, the primary one gets the meters, and
 * without a primary one, none does. {@link LockMetrics} beans of the application replace the one of this configuration.
 * Each of them measures each client.
 */
@AutoConfiguration(
        after = DistlockAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration"
        })
@ConditionalOnClass({LockMetrics.class, MeterRegistry.class})
@ConditionalOnBean({MeterRegistry.class, LockClientBuilderConfigurer.class})
public final class LockMetricsAutoConfiguration {

    /** For the container. */
    LockMetricsAutoConfiguration() {}

    @Bean
    @ConditionalOnSingleCandidate(MeterRegistry.class)
    @ConditionalOnMissingBean
    LockMetrics lockMetrics(
            MeterRegistry registry,
            ObjectProvider<ObservationRegistry> observations,
            ObjectProvider<ObservationFilter> filters,
            ObjectProvider<DistributedLockKeys> keys,
            DistlockProperties properties) {
        LockMetricsBuilder metrics = LockMetrics.builder(registry)
                .lockTag(properties.metrics().lockTag().values(keys.getIfAvailable()));
        if (properties.observations().enabled()) {
            observations.ifUnique(metrics::observations);
            filters.orderedStream().forEach(metrics::observationFilter);
        }
        return metrics.build();
    }

    @Bean
    LockClientBuilderCustomizer distlockMeters(ObjectProvider<LockMetrics> metrics) {
        return settings -> metrics.orderedStream().forEach(each -> each.measure(settings));
    }

    /** Settings know nothing of the client that is built from them, and gauges ask the client. */
    @Bean
    static BeanPostProcessor distlockGauges(ObjectProvider<LockMetrics> metrics) {
        return new Gauges(metrics);
    }

    private record Gauges(ObjectProvider<LockMetrics> metrics) implements BeanPostProcessor {
        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (bean instanceof LockClient client) {
                metrics.orderedStream().forEach(each -> each.show(client));
            }
            return bean;
        }
    }
}
