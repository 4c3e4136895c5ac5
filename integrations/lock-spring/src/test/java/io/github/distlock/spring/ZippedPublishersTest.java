package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.transaction.reactive.TransactionalOperator;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Publishers that a chain zips get their locks at the same time, on several threads, and the resources of their
 * transaction are not thread-safe. If two changed them at the same time, the transaction could forget one hold.
 */
class ZippedPublishersTest {
    private final InMemoryStore store = new InMemoryStore();
    private final ExecutorService callbacks = Executors.newCachedThreadPool();
    private final Meeting meeting = new Meeting();
    private final Application application = Application.over(store);

    @AfterEach
    void close() {
        application.close();
        callbacks.shutdown();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Stock {
        @DistributedLocked(key = "one", client = "observed")
        public Mono<String> one() {
            return Mono.just("one");
        }

        @DistributedLocked(key = "other", client = "observed")
        public Mono<String> other() {
            return Mono.just("other");
        }
    }

    @Test
    void aTransactionKeepsTheHoldsOfZippedPublishersOneAfterTheOther() {
        application.context().registerBean("observed", LockClient.class, () -> observed());
        application.start(ReactiveRegister.class, Stock.class);
        Stock stock = application.bean(Stock.class);
        Mono<String> zipped = Mono.zip(
                stock.one().subscribeOn(Schedulers.boundedElastic()),
                stock.other().subscribeOn(Schedulers.boundedElastic()),
                (one, other) -> one + " and " + other);

        String result = TransactionalOperator.create(application.bean(ReactiveRegister.class))
                .transactional(zipped)
                .block(Duration.ofMinutes(1));

        assertThat(result).isEqualTo("one and other");
        assertThat(meeting.most).hasValue(1);
        Waiting.until(() -> !application.isHeld("one") && !application.isHeld("other"));
    }

    /** Two threads that keep holds. The first one waits until the second one does the same, or waits for it. */
    private static final class Meeting {
        private final Set<Thread> come = ConcurrentHashMap.newKeySet();
        private final AtomicInteger present = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();
        private final AtomicInteger first = new AtomicInteger();

        /**
         * A transaction reads the name of the lock for its warning, before it keeps the hold. Each thread waits for the
         * other one here. Otherwise the first one could keep the other one from reading which holds are kept, which
         * comes before this.
         */
        void come() {
            come.add(Thread.currentThread());
            Waiting.until(() -> come.size() == 2);
        }

        /** A transaction does this while it keeps the hold. */
        void join() {
            most.accumulateAndGet(present.incrementAndGet(), Math::max);
            if (first.getAndIncrement() == 0) {
                Waiting.until(() -> most.get() == 2 || come.stream().anyMatch(Meeting::waits));
            }
            present.decrementAndGet();
        }

        /** Returns whether another thread waits to keep its hold. Before that, it may wait for its turn to log. */
        private static boolean waits(Thread other) {
            return other != Thread.currentThread()
                    && other.getState() == Thread.State.WAITING
                    && Stream.of(other.getStackTrace())
                            .anyMatch(frame -> frame.getMethodName().equals("keepJoined"));
        }
    }

    /** A client that sees what is asked of its handles. */
    private LockClient observed() {
        LockClient client =
                LockClient.builder(store.connect()).callbackExecutor(callbacks).build();
        return proxy(LockClient.class, client, Map.of("allOf", lock -> observed((DistributedLock) lock)));
    }

    @SuppressWarnings({"unchecked", "FutureReturnValueIgnored"}) // what tryAcquireAsync returns, for the caller
    private DistributedLock observed(DistributedLock lock) {
        return proxy(
                DistributedLock.class,
                lock,
                Map.of(
                        "tryAcquireAsync",
                        granted -> ((CompletableFuture<Optional<LockHandle>>) granted)
                                .thenApply(handle -> handle.map(this::observed))));
    }

    private LockHandle observed(LockHandle handle) {
        return proxy(
                LockHandle.class,
                handle,
                Map.of(
                        "lockName",
                        name -> {
                            meeting.come();
                            return name;
                        },
                        "ensureHeld",
                        nothing -> {
                            meeting.join();
                            return nothing;
                        }));
    }

    /** Changes the results of some methods. */
    private static <T> T proxy(Class<T> type, T target, Map<String, UnaryOperator<Object>> changes) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, all) -> {
            try {
                Object result = method.invoke(target, all);
                UnaryOperator<Object> change = changes.get(method.getName());
                return change == null ? result : change.apply(result);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
