package io.github.distlock.redis;

import io.github.distlock.tests.AsynchronousWaiters;
import io.github.distlock.tests.BackendFixture;

/** Very many asynchronous acquires on Redis. */
class AsynchronousWaitersTest extends AsynchronousWaiters {
    @Override
    protected BackendFixture newFixture() {
        return new RedisFixture();
    }
}
