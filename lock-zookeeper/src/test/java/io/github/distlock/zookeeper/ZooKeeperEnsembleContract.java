package io.github.distlock.zookeeper;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.servers.ZooKeeperEnsemble;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for ZooKeeper on three servers. {@code .ci/extended} runs it, because it takes as long as
 * the contract on one server. The rules about faults of the server concern the whole ensemble. {@link
 * ZooKeeperEnsembleHistory} is about the faults of its leader.
 */
@Execution(ExecutionMode.CONCURRENT)
class ZooKeeperEnsembleContract extends LockContract {
    private static ZooKeeperEnsemble ensemble;

    @BeforeAll
    static void start() {
        ensemble = SharedZooKeeper.startEnsemble();
    }

    @AfterAll
    static void stop() {
        ensemble.close();
    }

    @Override
    protected BackendFixture newFixture() {
        return new ZooKeeperFixture(ensemble, SharedZooKeeper::startEnsemble);
    }
}
