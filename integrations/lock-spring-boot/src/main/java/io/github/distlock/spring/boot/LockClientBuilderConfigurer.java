package io.github.distlock.spring.boot;

import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockOptions;
import java.util.List;
import org.springframework.core.env.Environment;

/**
 * Applies the properties and all {@link LockClientBuilderCustomizer} beans to a client. The auto-configured client has
 * them already. This bean is for applications with several clients:
 *
 * <pre>{@code
 * @Bean(defaultCandidate = false)
 * LockClient reportLocks(LockClientBuilderConfigurer configurer) {
 *     return configurer.configure(LockClient.builder(RedisBackend.connect("redis://reports"))).build();
 * }
 * }</pre>
 */
public final class LockClientBuilderConfigurer {
    private final DistlockProperties properties;
    private final Environment environment;
    private final List<LockClientBuilderCustomizer> customizers;

    LockClientBuilderConfigurer(
            DistlockProperties properties, Environment environment, List<LockClientBuilderCustomizer> customizers) {
        this.properties = properties;
        this.environment = environment;
        this.customizers = customizers;
    }

    /**
     * Changes the settings of a client.
     *
     * @param builder the settings of a client that is not built yet
     * @return the same builder
     * @throws IllegalArgumentException if a property is out of bounds
     */
    public LockClientBuilder configure(LockClientBuilder builder) {
        LockOptions options = LockOptions.defaults().renewedLease(properties.lease());
        String name = properties.clientName() != null
                ? properties.clientName()
                : environment.getProperty("spring.application.name", "");
        if (!name.isBlank()) {
            builder.name(name);
        }
        builder.defaultOptions(properties.fair() ? options.fair() : options)
                .requestTimeout(properties.requestTimeout())
                .outageTimeout(properties.outageTimeout())
                .shutdownTimeout(properties.shutdownTimeout());
        customizers.forEach(each -> each.customize(builder));
        return builder;
    }
}
