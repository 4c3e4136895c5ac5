package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;

/** Creates backends with their own connections and the keys {@code space:name}. */
public final class RedisFactory implements BackendFactory {
    @Override
    public LockBackend backend(String address, String space) {
        return RedisBackend.builder("redis://" + address).keyPrefix(space + ":").build();
    }
}
