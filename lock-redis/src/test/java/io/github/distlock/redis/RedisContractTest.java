package io.github.distlock.redis;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract of backends, for Redis over the backend's own connections. */
@Execution(ExecutionMode.CONCURRENT)
class RedisContractTest extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new RedisFixture();
    }
}
