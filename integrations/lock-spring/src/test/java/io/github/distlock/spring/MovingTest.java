package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/moving/from-redisson-spring-boot-starter.md}, without Redisson's classes. */
class MovingTest {

    /** Stands for {@code RedissonClient}. */
    static class Redisson {
        private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

        ReentrantLock getLock(String name) {
            return locks.computeIfAbsent(name, unused -> new ReentrantLock());
        }
    }

    static class Repository {
        private final List<Integer> shipped = new ArrayList<>();
        private Runnable whileShipping = () -> {};

        void markShipped(int id, long token) {
            assertThat(token).isPositive();
            whileShipping.run();
            shipped.add(id);
        }
    }

    static class Shipping {
        private final Repository repository;

        Shipping(Repository repository) {
            this.repository = repository;
        }

        @DistributedLocked(key = "orders/#{#id}")
        public void ship(int id) {
            repository.markShipped(id, LockedMethod.currentHandle().fencingToken());
        }
    }

    static class OrderService {
        private final Redisson redisson;
        private final Shipping shipping;

        OrderService(Redisson redisson, Shipping shipping) {
            this.redisson = redisson;
            this.shipping = shipping;
        }

        public void ship(int id) {
            Lock former = redisson.getLock("order:" + id);
            former.lock();
            try {
                shipping.ship(id);
            } finally {
                former.unlock();
            }
        }
    }

    @Test
    void s1_theWorkHoldsBothLocks() {
        try (Application application =
                Application.of(Redisson.class, Repository.class, Shipping.class, OrderService.class)) {
            ReentrantLock former = application.bean(Redisson.class).getLock("order:42");
            Repository repository = application.bean(Repository.class);
            repository.whileShipping = () -> {
                assertThat(former.isHeldByCurrentThread()).isTrue();
                assertThat(application.isHeld("orders/42")).isTrue();
            };

            application.bean(OrderService.class).ship(42);

            assertThat(repository.shipped).containsExactly(42);
            assertThat(former.isLocked()).isFalse();
            assertThat(application.isHeld("orders/42")).isFalse();
        }
    }
}
