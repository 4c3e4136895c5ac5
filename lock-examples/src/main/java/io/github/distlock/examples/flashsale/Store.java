package io.github.distlock.examples.flashsale;

import io.github.distlock.LockOptions;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;

/** The stores of the locks. All differences between them are here. */
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

    /** A tenth of the default, so that the lock of a killed holder is free after 3 s instead of 30 s. */
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
