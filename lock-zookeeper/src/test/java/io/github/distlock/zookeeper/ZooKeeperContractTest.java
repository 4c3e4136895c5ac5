package io.github.distlock.zookeeper;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract of backends, for ZooKeeper over the backend's own connection. */
@Execution(ExecutionMode.CONCURRENT)
class ZooKeeperContractTest extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new ZooKeeperFixture();
    }
}
