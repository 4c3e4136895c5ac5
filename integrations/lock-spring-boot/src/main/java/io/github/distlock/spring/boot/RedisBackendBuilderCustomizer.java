package io.github.distlock.spring.boot;

import io.github.distlock.redis.RedisBackendBuilder;

/**
 * A bean of this type changes the settings of the Redis backend, after the properties. Such beans apply in their order.
 */
@FunctionalInterface
public interface RedisBackendBuilderCustomizer {

    /**
     * Changes the settings.
     *
     * @param builder has the settings of the properties
     */
    void customize(RedisBackendBuilder builder);
}
