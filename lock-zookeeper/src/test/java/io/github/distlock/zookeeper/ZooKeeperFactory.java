package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import java.time.Duration;

/**
 * Backends whose locks are below a base path of each test's own.
 *
 * <p>ZooKeeper's client takes up to a second to come back after its connection broke, so shorter sessions do not outlive half a
 * time-out of silence.
 */
public final class ZooKeeperFactory implements BackendFactory {
    static final Duration SESSION = Duration.ofSeconds(7);

    @Override
    public LockBackend backend(String address, String space) {
        return ZooKeeperBackend.builder(address)
                .basePath("/" + space)
                .sessionTimeout(SESSION)
                .tick(SharedZooKeeper.TICK)
                .build();
    }
}
