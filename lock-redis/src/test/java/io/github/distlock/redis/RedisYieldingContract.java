package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for Redis with handoffs that sometimes leave the lock to other programs first. Not part of
 * the normal build. More such handoffs would break rule V2.1, because their waiters know when to ask, and get no
 * message.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisYieldingContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new RedisFixture(new YieldingFactory());
    }

    /** Creates backends of which one of 40 handoffs leaves the lock to other programs for 20 ms. */
    public static final class YieldingFactory implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            return RedisBackend.builder("redis://" + address)
                    .keyPrefix(space + ":")
                    .yieldToForeignClients(40, Duration.ofMillis(20))
                    .build();
        }
    }
}
