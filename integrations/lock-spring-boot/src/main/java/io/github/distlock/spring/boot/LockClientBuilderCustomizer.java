package io.github.distlock.spring.boot;

import io.github.distlock.LockClientBuilder;

/**
 * A bean of this type changes the settings of every client that a {@link LockClientBuilderConfigurer} sets up, after
 * the properties. Such beans apply in their order.
 */
@FunctionalInterface
public interface LockClientBuilderCustomizer {

    /**
     * Changes the settings.
     *
     * @param builder has the settings of the properties
     */
    void customize(LockClientBuilder builder);
}
