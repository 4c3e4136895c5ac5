package io.github.distlock.bench;

import java.util.List;
import java.util.UUID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.SetParams;

/**
 * The pattern of Redis's documentation: {@code SET NX PX}, and a script that compares and deletes. After a busy answer,
 * a client asks again after 100 ms, as in many tutorials.
 */
record PlainLocks(UnifiedJedis jedis) implements Peer.Client {
    static final String COMPARE_AND_DELETE =
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";
    private static final SetParams FOR_THIRTY_SECONDS =
            SetParams.setParams().nx().px(30_000);
    private static final long PAUSE_MILLIS = 100;

    @Override
    public Acquire lock(String name) {
        String key = "plain:" + name;
        String script = jedis.scriptLoad(COMPARE_AND_DELETE, key);
        return () -> {
            String value = UUID.randomUUID().toString();
            while (jedis.set(key, value, FOR_THIRTY_SECONDS) == null) {
                Thread.sleep(PAUSE_MILLIS);
            }
            return () -> {
                if (!jedis.evalsha(script, List.of(key), List.of(value)).equals(1L)) {
                    throw new IllegalStateException("the lock was lost");
                }
            };
        };
    }

    @Override
    public void close() {
        jedis.close();
    }
}
