package io.github.distlock.bench;

import java.util.List;
import redis.clients.jedis.RedisClient;

/**
 * A list with one element, which a blocking pop takes and a push puts back. The server passes it to the client that has
 * waited longest. If a client dies with the element, no client gets it again. So this is no lock, but the least that
 * passing one costs.
 */
record Baton(RedisClient jedis) implements Peer.Client {
    private static final String ONCE =
            "if redis.call('SETNX', KEYS[1], 1) == 1 then redis.call('LPUSH', KEYS[2], 'baton') end";

    @Override
    public Acquire lock(String name) {
        String key = "baton:" + name;
        var unused = jedis.eval(ONCE, List.of(key + ":made", key), List.of());
        return () -> {
            if (jedis.blpop(30, key) == null) {
                throw new IllegalStateException("the baton is lost");
            }
            return () -> jedis.lpush(key, "baton");
        };
    }

    @Override
    public void close() {
        jedis.close();
    }
}
