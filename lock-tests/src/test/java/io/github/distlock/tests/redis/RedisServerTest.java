package io.github.distlock.tests.redis;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.ServerRules;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import redis.clients.jedis.RedisClient;

/** What needs a real server, for Redis. */
class RedisServerTest extends ServerRules {
    private static RedisServer server;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    protected Server server() {
        return server;
    }

    @Override
    protected Class<? extends BackendFactory> factory() {
        return RedisFactory.class;
    }

    @Override
    protected Duration lease() {
        return Duration.ofSeconds(2);
    }

    @Override
    protected boolean tokensOutliveData() {
        return true;
    }

    @Override
    protected Duration expiry() {
        return lease();
    }

    @Override
    protected long serverEndsHoldAt(String space, String name) {
        try (RedisClient admin = RedisClient.create(server.uri())) {
            admin.ping();
            long askedAt = System.nanoTime();
            return askedAt + admin.pttl(space + ":" + name) * 1_000_000;
        }
    }
}
