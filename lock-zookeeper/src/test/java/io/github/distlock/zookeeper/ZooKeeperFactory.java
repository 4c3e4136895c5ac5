package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import java.time.Duration;

/**
 * Creates backends with a separate base path for each space.
 *
 * <p>ZooKeeper's client takes up to a second to reconnect, so a shorter session would not outlive a silence of half its
 * timeout.
 */
public final class ZooKeeperFactory implements BackendFactory {
    static final Duration SESSION = Duration.ofMillis(Long.getLong("lock.zookeeper.session", 7000));

    @Override
    public LockBackend backend(String address, String space) {
        return ZooKeeperBackend.builder(address)
                .basePath("/" + space)
                .sessionTimeout(SESSION)
                .tick(SharedZooKeeper.TICK)
                .build();
    }
}
