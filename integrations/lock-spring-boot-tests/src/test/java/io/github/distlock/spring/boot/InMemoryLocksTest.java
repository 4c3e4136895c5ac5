package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.LockBusyException;
import io.github.distlock.spring.LockedMethod;
import io.github.distlock.spring.boot.test.AutoConfigureInMemoryLocks;
import java.time.Duration;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A test of an application whose properties name a Redis that does not exist, as users write it. */
@SpringBootTest(
        properties = {
            "distlock.backend=redis",
            "distlock.redis.url=redis://nowhere:1",
            "distlock.request-timeout=2s",
            "distlock.annotation.max-wait=0s"
        })
@AutoConfigureInMemoryLocks
class InMemoryLocksTest {
    @Autowired
    private Orders orders;

    @Autowired
    private LockClient locks;

    @Autowired
    private InMemoryStore store;

    @Autowired
    private InMemoryBackend connection;

    @Autowired
    @Qualifier("otherLockClient")
    private LockClient other;

    /** Each repetition finds the lock free, whatever the one before has left. */
    @RepeatedTest(2)
    void anotherClientMakesALockBusyUntilTheTestEnds() throws InterruptedException {
        assertThat(orders.ship(42)).isEqualTo("shipped");

        var unused = other.lock("orders/42").acquire();

        assertThatThrownBy(() -> orders.ship(42)).isInstanceOf(LockBusyException.class);
    }

    @RepeatedTest(2)
    void aSilentStoreAnswersAgainAfterTheTest() {
        assertThat(orders.ship(43)).isEqualTo("shipped");

        connection.pause();

        assertThatThrownBy(() -> orders.ship(43)).isInstanceOf(LockException.class);
    }

    @Test
    void theStoreLosesAndDeletesHoldsAndLetsTimePass() throws InterruptedException {
        LockHandle lost = locks.lock("a").acquire();
        LockHandle deleted = locks.lock("b").acquire();

        assertThat(store.lose("a")).isTrue();
        assertThat(lost.isHeld()).isFalse();

        assertThat(store.delete("b")).isTrue();
        store.advance(Duration.ofMinutes(1));
        assertThat(deleted.isHeld()).isFalse();
    }

    static class Orders {
        @DistributedLocked(key = "orders/#{#id}")
        public String ship(int id) {
            return LockedMethod.currentHandle().isHeld() ? "shipped" : "not held";
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Orders orders() {
            return new Orders();
        }
    }
}
