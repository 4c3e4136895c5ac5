package io.github.distlock.zookeeper;

import io.github.distlock.tests.AsynchronousWaiters;
import io.github.distlock.tests.BackendFixture;

/** Very many asynchronous acquires on ZooKeeper. */
class AsynchronousWaitersTest extends AsynchronousWaiters {
    @Override
    protected BackendFixture newFixture() {
        return new ZooKeeperFixture();
    }
}
