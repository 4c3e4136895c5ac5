package io.github.distlock.spring.boot;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.TypeReference;

/** What a native image also needs: scripts, the version of Jedis, and the answers of the endpoint. */
final class DistlockRuntimeHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader loader) {
        hints.resources().registerPattern("io/github/distlock/redis/*.lua");
        hints.resources().registerPattern("redis/clients/jedis/pom.properties");
        hints.resources().registerPattern("META-INF/maven/redis.clients/jedis/pom.properties");
        hints.reflection().registerType(TypeReference.of("redis.clients.jedis.RedisClient"));
        // No operation of the endpoint has these as its return type.
        new BindingReflectionHintsRegistrar()
                .registerReflectionHints(
                        hints.reflection(),
                        LocksEndpoint.Names.class,
                        LocksEndpoint.Lock.class,
                        LocksEndpoint.Released.class);
    }
}
