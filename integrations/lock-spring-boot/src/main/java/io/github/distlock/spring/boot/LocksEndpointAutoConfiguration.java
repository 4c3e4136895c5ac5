package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/** The actuator endpoint {@code locks}, if the application exposes it. */
@AutoConfiguration(after = DistlockAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnAvailableEndpoint(endpoint = LocksEndpoint.class)
@ConditionalOnBean(LockClient.class)
public final class LocksEndpointAutoConfiguration {

    /** For the container. */
    LocksEndpointAutoConfiguration() {}

    @Bean
    LocksEndpoint distlockLocksEndpoint(BeanFactory beans) {
        return new LocksEndpoint(beans);
    }
}
