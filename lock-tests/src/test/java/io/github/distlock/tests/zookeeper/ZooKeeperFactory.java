package io.github.distlock.tests.zookeeper;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;

/** Backends whose locks are below a base path of each test's own. */
public final class ZooKeeperFactory implements BackendFactory {
    static final Duration SESSION = Duration.ofSeconds(6);
    static final Duration TICK = Duration.ofMillis(500);

    @Override
    public LockBackend backend(String address, String space) {
        return ZooKeeperBackend.builder(address)
                .basePath("/" + space)
                .sessionTimeout(SESSION)
                .tick(TICK)
                .build();
    }
}
