package io.github.distlock.redis.lettuce;

import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract of backends, for Redis over Lettuce. Not part of the normal build, which runs it over Jedis. */
@Execution(ExecutionMode.CONCURRENT)
class LettuceContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new LettuceFixture();
    }
}
