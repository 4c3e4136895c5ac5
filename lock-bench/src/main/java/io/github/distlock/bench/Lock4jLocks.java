package io.github.distlock.bench;

import com.baomidou.lock.executor.RedissonLockExecutor;
import java.time.Duration;
import java.util.UUID;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/** Lock4j over Redisson, without Spring Boot: the executor that its template calls, with a value of the same length. */
record Lock4jLocks(RedissonClient redisson, RedissonLockExecutor executor) implements Peer.Client {
    private static final long PATIENCE_MILLIS = Duration.ofMinutes(2).toMillis();
    /** Redisson renews a lease that has no end. */
    private static final long RENEWED = -1;

    static Lock4jLocks connect(String uri) {
        Config config = new Config();
        config.useSingleServer().setAddress(uri);
        RedissonClient redisson = Redisson.create(config);
        return new Lock4jLocks(redisson, new RedissonLockExecutor(redisson));
    }

    @Override
    public Acquire lock(String name) {
        return () -> {
            String value = UUID.randomUUID().toString().replace("-", "");
            RLock held = executor.acquire(name, value, RENEWED, PATIENCE_MILLIS);
            if (held == null) {
                throw new IllegalStateException("not acquired in time");
            }
            return () -> executor.releaseLock(name, value, held);
        };
    }

    @Override
    public void close() {
        redisson.shutdown();
    }
}
