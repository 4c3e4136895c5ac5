package io.github.distlock.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.provider.redis.spring.RedisLockProvider;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import redis.clients.jedis.HostAndPort;

/** ShedLock. It does not wait, so a thread asks again after 100 ms. */
record ShedLocks(LettuceConnectionFactory factory, RedisLockProvider provider) implements Peer.Client {
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 100;

    static ShedLocks connect(HostAndPort server) {
        LettuceConnectionFactory factory = SpringLocks.connect(server);
        return new ShedLocks(factory, new RedisLockProvider(factory));
    }

    @Override
    public Acquire lock(String name) {
        return () -> {
            Optional<SimpleLock> held = tryAcquire(name);
            while (held.isEmpty()) {
                Thread.sleep(PAUSE_MILLIS);
                held = tryAcquire(name);
            }
            return held.get()::unlock;
        };
    }

    private Optional<SimpleLock> tryAcquire(String name) {
        return provider.lock(new LockConfiguration(Instant.now(), name, LONGEST, Duration.ZERO));
    }

    @Override
    public void close() {
        factory.destroy();
    }
}
