package io.github.distlock.redis;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for a quorum of three servers of which one is dead all the time. Not part of the normal
 * build.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisQuorumMinorityDownContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new OneIsDead();
    }

    private static final class OneIsDead extends QuorumFixture {
        private OneIsDead() {
            super(SERVERS - 1);
        }
    }
}
