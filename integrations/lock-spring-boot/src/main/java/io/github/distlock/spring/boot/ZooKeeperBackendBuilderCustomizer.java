package io.github.distlock.spring.boot;

import io.github.distlock.zookeeper.ZooKeeperBackendBuilder;

/**
 * A bean of this type changes the settings of the ZooKeeper backend, after the properties. Such beans apply in their
 * order.
 */
@FunctionalInterface
public interface ZooKeeperBackendBuilderCustomizer {

    /**
     * Changes the settings.
     *
     * @param builder has the settings of the properties
     */
    void customize(ZooKeeperBackendBuilder builder);
}
