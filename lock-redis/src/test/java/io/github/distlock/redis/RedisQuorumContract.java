package io.github.distlock.redis;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for a quorum of three servers. Not part of the normal build. The rules about faults of the
 * server concern all three together. {@link RedisQuorumTest} is about faults of single ones.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisQuorumContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new AllRun();
    }

    private static final class AllRun extends QuorumFixture {
        private AllRun() {
            super(SERVERS);
        }
    }
}
