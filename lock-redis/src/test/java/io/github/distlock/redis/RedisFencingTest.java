package io.github.distlock.redis;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.history.FencingExperiment;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;

/** Fencing, with tokens from Redis. */
class RedisFencingTest extends FencingExperiment {
    @Override
    protected Server newServer() {
        return RedisServer.start();
    }

    @Override
    protected Class<? extends BackendFactory> factory() {
        return RedisFactory.class;
    }
}
