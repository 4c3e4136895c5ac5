package io.github.distlock.spring.boot;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;

/** What a native image also needs: the answers of the endpoint. The backends have their own metadata. */
final class DistlockRuntimeHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader loader) {
        // No operation of the endpoint has these as its return type.
        new BindingReflectionHintsRegistrar()
                .registerReflectionHints(
                        hints.reflection(),
                        LocksEndpoint.Names.class,
                        LocksEndpoint.Lock.class,
                        LocksEndpoint.Released.class);
    }
}
