package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.aopalliance.aop.Advice;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.aop.Advisor;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.cache.annotation.AnnotationCacheOperationSource;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.concurrent.ConcurrentMapCache;
import org.springframework.cache.interceptor.CacheInterceptor;
import org.springframework.cache.support.SimpleCacheManager;
import org.springframework.retry.interceptor.RetryInterceptorBuilder;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.AsyncAnnotationAdvisor;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.method.AuthorizationManagerBeforeMethodInterceptor;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.transaction.TransactionManager;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.interceptor.TransactionInterceptor;

/**
 * Why the lock belongs outside of transactions and caches, and inside of retries, asynchronous execution and checks of
 * rights: in the wrong order an update is lost. A first call pauses at the critical point until a second call has gone
 * on without the lock, or waits for it.
 */
class OrderTest {
    private final InMemoryStore store = new InMemoryStore();
    /** By default, transactions keep the lock until they complete, so the wrong order loses nothing. */
    private final Application application = Application.over(store)
            .with("distlock.annotation.on-active-transaction", "ignore")
            .start();

    private final Advisor lock = application.bean(LockAdvisor.class);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicBoolean isFirst = new AtomicBoolean(true);
    private final CompletableFuture<Void> second = new CompletableFuture<>();

    @AfterEach
    void close() {
        SecurityContextHolder.clearContext();
        threads.shutdownNow();
        application.close();
    }

    private static Advisor advisor(Advice advice) {
        return new DefaultPointcutAdvisor(advice);
    }

    /** Makes a proxy with the lock outside of the other advisor, or inside. It hides them from the check. */
    @SuppressWarnings("unchecked")
    private <T> T proxy(T bean, boolean isLockOutside, Advisor other) {
        ProxyFactory factory = new ProxyFactory();
        factory.setTarget(bean);
        factory.setProxyTargetClass(true);
        factory.setOpaque(true);
        factory.addAdvisors(isLockOutside ? List.of(lock, other) : List.of(other, lock));
        return (T) factory.getProxy();
    }

    /** Starts the second call, if this is the first one, and waits until it has gone on or waits for the lock. */
    private void pause(Runnable secondCall, BooleanSupplier hasGoneOn) {
        if (isFirst.compareAndSet(true, false)) {
            threads.execute(() -> {
                secondCall.run();
                second.complete(null);
            });
            Waiting.until(() -> hasGoneOn.getAsBoolean() || application.isAwaited("counter"));
        }
    }

    static class InTransaction {
        private final Register register;
        private final AtomicInteger reads = new AtomicInteger();

        InTransaction(Register register) {
            this.register = register;
        }

        @Transactional
        @DistributedLocked(key = "counter")
        public void increment() {
            int read = register.read();
            reads.incrementAndGet();
            register.write(read + 1);
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 2", "false, 1"})
    void transactionsBelongInside(boolean isLockOutside, int result) {
        Register register = new Register();
        InTransaction bean = new InTransaction(register);
        InTransaction proxy = proxy(
                bean,
                isLockOutside,
                advisor(new TransactionInterceptor(
                        (TransactionManager) register, new AnnotationTransactionAttributeSource())));
        // The second one must begin before the first one commits, and may hold the lock only afterwards.
        register.beforeCommit = () -> pause(proxy::increment, () -> bean.reads.get() == 2);

        proxy.increment();
        second.join();

        assertThat(register.committed()).isEqualTo(result);
    }

    static class Cached {
        private int value;

        @Cacheable("values")
        @DistributedLocked(key = "counter")
        public int get() {
            return value;
        }

        @CacheEvict("values")
        @DistributedLocked(key = "counter")
        public void increment() {
            value++;
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 1", "false, 0"})
    void cachesBelongInside(boolean isLockOutside, int result) {
        Cached[] proxy = new Cached[1];
        SimpleCacheManager caches = new SimpleCacheManager();
        caches.setCaches(List.of(new ConcurrentMapCache("values") {
            @Override
            public void put(Object key, @Nullable Object value) {
                pause(() -> proxy[0].increment(), second::isDone);
                super.put(key, value);
            }
        }));
        caches.initializeCaches();
        CacheInterceptor interceptor = new CacheInterceptor();
        interceptor.setCacheManager(caches);
        interceptor.setCacheOperationSources(new AnnotationCacheOperationSource());
        interceptor.afterSingletonsInstantiated();
        proxy[0] = proxy(new Cached(), isLockOutside, advisor(interceptor));

        int before = proxy[0].get();
        second.join();

        assertThat(before).isZero();
        assertThat(proxy[0].get()).isEqualTo(result);
    }

    class InTheBackground {
        private final AtomicInteger reads = new AtomicInteger();
        private final AtomicInteger writes = new AtomicInteger();
        private volatile boolean hasReturned;
        private volatile int value;
        private @Nullable InTheBackground proxy;

        @Async
        @DistributedLocked(key = "counter")
        public void increment() {
            // In the wrong order, the first call holds the lock until it returns, and the second one would wait for it.
            Waiting.until(() -> hasReturned);
            int read = value;
            reads.incrementAndGet();
            pause(() -> proxy.increment(), () -> reads.get() == 2);
            value = read + 1;
            writes.incrementAndGet();
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 1", "false, 2"})
    void asynchronousExecutionBelongsOutside(boolean isLockOutside, int result) {
        InTheBackground bean = new InTheBackground();
        bean.proxy = proxy(bean, isLockOutside, new AsyncAnnotationAdvisor(threads, null));

        bean.proxy.increment();
        bean.hasReturned = true;
        Waiting.until(() -> bean.writes.get() == 2);

        assertThat(bean.value).isEqualTo(result);
    }

    class Retried {
        private final AtomicInteger reads = new AtomicInteger();
        private final AtomicBoolean fails = new AtomicBoolean(true);
        private volatile int value;
        private @Nullable Retried proxy;

        @DistributedLocked(key = "counter")
        public void increment() {
            if (fails.compareAndSet(true, false)) {
                store.lose("counter");
                throw new IllegalStateException("the first attempt fails");
            }
            int read = value;
            reads.incrementAndGet();
            pause(() -> proxy.increment(), () -> reads.get() == 2);
            value = read + 1;
        }
    }

    @ParameterizedTest
    @CsvSource({"true, 1", "false, 2"})
    void retriesBelongOutside(boolean isLockOutside, int result) {
        Retried bean = new Retried();
        bean.proxy = proxy(
                bean,
                isLockOutside,
                advisor(RetryInterceptorBuilder.stateless().maxAttempts(2).build()));

        Throwable thrown = catchThrowable(() -> bean.proxy.increment());
        second.join();

        assertThat(thrown instanceof LockLostException).isEqualTo(isLockOutside);
        assertThat(bean.value).isEqualTo(result);
    }

    static class Secured {
        private final AtomicInteger value = new AtomicInteger();

        @PreAuthorize("hasRole('CLERK')")
        @DistributedLocked(key = "counter", onBusy = OnBusy.SKIP)
        public void increment() {
            value.incrementAndGet();
        }
    }

    private static void authenticate(String user) {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken(user, ""));
    }

    /** A clerk calls while the rights of a guest are checked. */
    @ParameterizedTest
    @CsvSource({"true, 0", "false, 1"})
    void checksOfRightsBelongOutside(boolean isLockOutside, int result) {
        Secured bean = new Secured();
        Secured[] proxy = new Secured[1];
        Runnable callOfAClerk = () -> {
            authenticate("clerk");
            proxy[0].increment();
        };
        proxy[0] = proxy(bean, isLockOutside, AuthorizationManagerBeforeMethodInterceptor.preAuthorize((user, call) -> {
            pause(callOfAClerk, second::isDone);
            return new AuthorizationDecision(user.get().getName().equals("clerk"));
        }));
        authenticate("guest");

        assertThatThrownBy(() -> proxy[0].increment()).isInstanceOf(AccessDeniedException.class);
        second.join();

        assertThat(bean.value).hasValue(result);
    }
}
