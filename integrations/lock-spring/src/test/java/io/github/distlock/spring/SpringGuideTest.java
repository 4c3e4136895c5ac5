package io.github.distlock.spring;

import static io.github.distlock.spring.OnBusy.FALLBACK;
import static io.github.distlock.spring.OnBusy.SKIP;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.AliasFor;
import org.springframework.integration.support.locks.LockRegistry;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Mono;

/** The code of {@code docs/spring.md}. */
@SuppressWarnings("UnusedMethod") // some are called by their names
class SpringGuideTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient other = LockClient.create(store.connect());
    private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

    SpringGuideTest() {
        context.registerBean(LockBackend.class, store::connect);
        context.register(LockConfiguration.class, Transactions.class, Register.class, OrderRepository.class);
        context.register(OrderService.class, Jobs.class);
        context.refresh();
    }

    @AfterEach
    void close() {
        context.close();
        other.close();
    }

    @Configuration
    @EnableDistributedLocks
    static class LockConfiguration {
        @Bean
        LockClient locks(LockBackend backend) {
            return LockClient.create(backend);
        }

        @Bean
        @SuppressWarnings("rawtypes") // its type parameter came with Spring Integration 7.1
        LockRegistry lockRegistry(LockClient locks) {
            return new DistributedLockRegistry(locks, "integration/");
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement
    static class Transactions {}

    record Order(int id) {}

    record Account(String id) {}

    static class OrderRepository {
        final List<String> log = new ArrayList<>();

        void markShipped(int id, long token) {
            log.add("shipped " + id + (token > 0 ? " with a token" : ""));
        }

        void withdraw(String id, long token) {
            log.add("withdrawn from " + id);
        }
    }

    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @DistributedLocked(key = "", onBusy = SKIP, minimumHold = "1m", maximumHold = "1h")
    @interface Job {
        @AliasFor(annotation = DistributedLocked.class, attribute = "key")
        String value();
    }

    static class OrderService {
        private final OrderRepository orders;

        OrderService(OrderRepository orders) {
            this.orders = orders;
        }

        @DistributedLocked(key = "orders/#{#order.id}", maxWait = "5s")
        @Transactional
        public void ship(Order order) {
            orders.markShipped(order.id(), LockedMethod.currentHandle().fencingToken());
        }

        @DistributedLocked(key = {"account/#{#from.id}", "account/#{#to.id}"})
        public void transfer(Account from, Account to, LockHandle held) {
            orders.withdraw(from.id(), held.fencingToken("account/" + from.id()));
        }

        @DistributedLocked(key = "report", maxWait = "100ms", onBusy = FALLBACK, fallback = "lastReport")
        public String report(int year) {
            return "a new report of " + year;
        }

        private String lastReport(int year) {
            return "the last report of " + year;
        }

        @DistributedLocked(key = "stock/#{#item}")
        public Mono<Long> reserve(String item) {
            return ReactiveLockedMethod.currentHandle().map(LockHandle::fencingToken);
        }
    }

    static class Jobs {
        final List<String> runs = new ArrayList<>();

        @Scheduled(cron = "0 0 3 * * *")
        @DistributedLocked(key = "jobs/nightly", onBusy = SKIP, minimumHold = "1m", maximumHold = "1h")
        public void nightly() {
            runs.add("nightly");
        }

        @Job("jobs/hourly")
        public void hourly() {
            runs.add("hourly");
        }

        List<String> runs() {
            return runs;
        }
    }

    @Test
    void theExamplesOfThePageWork() {
        OrderService service = context.getBean(OrderService.class);
        Jobs jobs = context.getBean(Jobs.class);

        service.ship(new Order(42));
        service.transfer(new Account("7"), new Account("9"), null);
        jobs.nightly();
        jobs.nightly();
        jobs.hourly();
        context.getBean(LockRegistry.class).obtain("key").lock();

        assertThat(context.getBean(OrderRepository.class).log)
                .containsExactly("shipped 42 with a token", "withdrawn from 7");
        assertThat(jobs.runs()).containsExactly("nightly", "hourly");
        assertThat(service.reserve("bolt").block()).isPositive();
        assertThat(service.report(2026)).isEqualTo("a new report of 2026");
        assertThat(other.lock("integration/key").tryAcquire()).isEmpty();
        try (LockHandle held = other.lock("report").acquireUninterruptibly()) {
            assertThat(service.report(2026)).isEqualTo("the last report of 2026");
        }
    }
}
