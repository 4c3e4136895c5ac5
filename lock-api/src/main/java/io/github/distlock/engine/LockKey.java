package io.github.distlock.engine;

import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockMode;
import java.util.Objects;

/**
 * What the acquires of one local queue have in common. A lease of one acquire therefore suits the others.
 *
 * @param hash its hash code, which each acquire needs
 */
record LockKey(String name, LockMode mode, LockOptions options, int hash) {
    LockKey(String name, LockMode mode, LockOptions options) {
        this(name, mode, options, Objects.hash(name, mode, options));
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
