package io.github.distlock.bench;

import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.RedisServer;
import redis.clients.jedis.RedisClient;

/** A Redis server. It keeps the last fencing token of each name for a time, in one key. */
final class SoakedRedis implements SoakedStore {
    private static final int REQUESTS = 8;
    private static final int UPKEEP_AND_MESSAGES = 5;

    private final RedisServer server = RedisServer.start();

    @Override
    public LockBackend newBackend() {
        return RedisBackend.builder(server.uri()).maxConnections(REQUESTS).build();
    }

    @Override
    public int names() {
        return 1_000;
    }

    @Override
    public long cycles() {
        return 100_000;
    }

    @Override
    public long idleConnections() {
        return REQUESTS + UPKEEP_AND_MESSAGES;
    }

    @Override
    public long entries() {
        try (RedisClient operator = RedisClient.create(server.uri())) {
            return operator.keys("*").stream()
                    .filter(key -> !key.endsWith(":token") || operator.pttl(key) < 0)
                    .count();
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
