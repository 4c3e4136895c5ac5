package io.github.distlock.examples.flashsale;

import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;

/** Where locks may live. All that differs between the two is here. */
enum Store {
    REDIS("Redis") {
        @Override
        LockBackend connect(String address) {
            return RedisBackend.connect(address);
        }
    },
    ZOOKEEPER("ZooKeeper") {
        @Override
        LockBackend connect(String address) {
            return ZooKeeperBackend.builder(address)
                    .sessionTimeout(LEASE)
                    .tick(TICK)
                    .build();
        }
    };

    /**
     * Ten times shorter than the default, so that nobody has to wait for half a minute to see a crashed holder's end.
     */
    static final Duration LEASE = Duration.ofSeconds(3);

    static final Duration TICK = Duration.ofMillis(500);

    private final String title;

    Store(String title) {
        this.title = title;
    }

    abstract LockBackend connect(String address);

    static LockOptions options() {
        return LockOptions.defaults().renewedLease(LEASE);
    }

    @Override
    public String toString() {
        return title;
    }
}
