package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryStore;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.AliasFor;
import org.springframework.util.ReflectionUtils;

/** What a call of a method with an annotation does. */
@SuppressWarnings("UnusedMethod") // some are called by their names
class LockedMethodTest {
    private final Application application = Application.over(new InMemoryStore())
            .with("tenant", "acme")
            .with("patience", "7s")
            .start(Orders.class);
    private final Orders orders = application.bean(Orders.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    record Order(String id) {}

    @Retention(RetentionPolicy.RUNTIME)
    @DistributedLocked(key = "unused", onBusy = OnBusy.SKIP)
    @interface Nightly {
        @AliasFor(annotation = DistributedLocked.class, attribute = "key")
        String[] value();
    }

    static class Orders {
        private final AtomicInteger runs = new AtomicInteger();
        private Runnable work = () -> {};

        /** A proxy has no fields of its bean. */
        AtomicInteger runs() {
            return runs;
        }

        void doing(Runnable work) {
            this.work = work;
        }

        public String prefix() {
            return "root";
        }

        @DistributedLocked(key = "orders/#{#order.id}", maxWait = "0s")
        public String ship(Order order) {
            runs.incrementAndGet();
            work.run();
            return "shipped";
        }

        @DistributedLocked(key = {"account/#{#from}", "account/#{#to}"})
        public List<String> transfer(int from, int to) {
            return LockedMethod.currentHandle().lockNames();
        }

        @DistributedLocked(key = "#{prefix()}/${tenant}/#{#p0}/#{@orderNames.name}", maxWait = "0s")
        public String expressions(int number) {
            return LockedMethod.currentHandle().lockName();
        }

        @DistributedLocked(key = "jobs/nightly", onBusy = OnBusy.SKIP)
        public void nightly() {
            runs.incrementAndGet();
        }

        @DistributedLocked(key = "skip", onBusy = OnBusy.SKIP)
        public Optional<String> optional() {
            return Optional.of("ran");
        }

        @DistributedLocked(key = "skip", onBusy = OnBusy.SKIP)
        public OptionalInt optionalInt() {
            return OptionalInt.of(1);
        }

        @DistributedLocked(key = "skip", onBusy = OnBusy.SKIP)
        public OptionalLong optionalLong() {
            return OptionalLong.of(1);
        }

        @DistributedLocked(key = "skip", onBusy = OnBusy.SKIP)
        public OptionalDouble optionalDouble() {
            return OptionalDouble.of(1);
        }

        @DistributedLocked(key = "skip", onBusy = OnBusy.SKIP)
        public String reference() {
            return "ran";
        }

        @Nightly("nightly/#{#name}")
        public String meta(String name) {
            return LockedMethod.currentHandle().lockName();
        }

        @DistributedLocked(key = "fall", maxWait = "0s", onBusy = OnBusy.FALLBACK, fallback = "instead")
        public String falling(String text) {
            runs.incrementAndGet();
            return "ran";
        }

        private String instead(String text) {
            return "instead of " + text;
        }

        @DistributedLocked(key = "handle")
        public long handle(String text, LockHandle held) {
            assertThat(held).isSameAs(LockedMethod.currentHandle());
            return held.fencingToken();
        }

        @DistributedLocked(key = "defaults")
        public void defaults() {}

        @DistributedLocked(
                key = "options",
                maxWait = "${patience}",
                fixedLease = "PT1M",
                minimumHold = "${least:2s}",
                maximumHold = "30m",
                fair = "true")
        public void options() {}

        @DistributedLocked(key = "other", client = "second")
        public void otherClient() {
            work.run();
        }

        @Bean
        static OrderNames orderNames() {
            return new OrderNames("bean");
        }

        @Bean(defaultCandidate = false)
        static LockClient second() {
            return LockClient.create(new InMemoryStore().connect());
        }
    }

    record OrderNames(String name) {}

    private boolean isBusy(String name) {
        return application.isHeld(name);
    }

    private MethodLock lockOf(String method) {
        return application.bean(MethodLocks.class).of(method(method), Orders.class);
    }

    private static Method method(String name) {
        return ReflectionUtils.findMethod(Orders.class, name, (Class<?>[]) null);
    }

    @Test
    void aCallHoldsTheLockOfItsArgumentsUntilTheMethodReturns() {
        orders.doing(() ->
                assertThat(List.of(isBusy("orders/1"), isBusy("orders/2"))).containsExactly(true, false));

        assertThat(orders.ship(new Order("1"))).isEqualTo("shipped");

        assertThat(isBusy("orders/1")).isFalse();
        assertThat(orders.runs()).hasValue(1);
    }

    @Test
    void anExceptionOfTheMethodReleasesTheLock() {
        orders.doing(() -> {
            throw new IllegalArgumentException("out of stock");
        });

        assertThatThrownBy(() -> orders.ship(new Order("1"))).hasMessage("out of stock");

        assertThat(isBusy("orders/1")).isFalse();
    }

    @Test
    void severalKeysAreHeldTogether() {
        assertThat(orders.transfer(9, 7)).containsExactly("account/7", "account/9");
    }

    @Test
    void aKeyMayUsePlaceholdersTheBeanNumbersAndOtherBeans() {
        assertThat(orders.expressions(42)).isEqualTo("root/acme/42/bean");
    }

    @Test
    void theAnnotationMayBeAMetaAnnotation() {
        assertThat(orders.meta("one")).isEqualTo("nightly/one");
    }

    @Test
    void aKeyPartThatIsNullOrBlankThrows() {
        assertThatIllegalStateException()
                .isThrownBy(() -> orders.ship(new Order(null)))
                .withMessageEndingWith("ship(Order): #{#order.id} in its key is null");
        assertThatIllegalStateException()
                .isThrownBy(() -> orders.ship(new Order(" ")))
                .withMessageEndingWith("ship(Order): #{#order.id} in its key is blank");
        assertThat(orders.runs()).hasValue(0);
    }

    @Test
    void aBusyLockThrowsWhatIsNoLockException() {
        try (LockHandle held = application.other.lock("orders/1").acquireUninterruptibly()) {
            assertThatExceptionOfType(LockBusyException.class)
                    .isThrownBy(() -> orders.ship(new Order("1")))
                    .withMessage("lock \"orders/1\" is busy")
                    .satisfies(busy -> assertThat(busy.lockName()).isEqualTo("orders/1"))
                    .isNotInstanceOf(LockException.class);
        }
        assertThat(orders.runs()).hasValue(0);
    }

    @Test
    void aBusyLockSkipsTheMethod() {
        try (LockHandle held =
                application.other.allOf(List.of("jobs/nightly", "skip")).acquireUninterruptibly()) {
            orders.nightly();
            assertThat(orders.optional()).isEmpty();
            assertThat(orders.optionalInt()).isEmpty();
            assertThat(orders.optionalLong()).isEmpty();
            assertThat(orders.optionalDouble()).isEmpty();
            assertThat(orders.reference()).isNull();
        }
        assertThat(orders.runs()).hasValue(0);
        assertThat(orders.optional()).contains("ran");
    }

    @Test
    void aBusyLockCallsTheFallback() {
        try (LockHandle held = application.other.lock("fall").acquireUninterruptibly()) {
            assertThat(orders.falling("this")).isEqualTo("instead of this");
        }
        assertThat(orders.runs()).hasValue(0);
        assertThat(orders.falling("this")).isEqualTo("ran");
    }

    @Test
    void aSilentStoreThrowsAndIsNotTakenForBusy() {
        application.connection.pause();

        assertThatThrownBy(() -> orders.ship(new Order("1"))).isInstanceOf(LockException.class);
        assertThatThrownBy(orders::nightly).isInstanceOf(LockException.class);
        assertThatThrownBy(() -> orders.falling("this")).isInstanceOf(LockException.class);

        application.connection.resume();
        assertThat(orders.runs()).hasValue(0);
    }

    @Test
    void aLostHoldThrows() {
        orders.doing(() -> application.store.lose("orders/1"));

        assertThatThrownBy(() -> orders.ship(new Order("1"))).isInstanceOf(LockLostException.class);
    }

    @Test
    void anInterruptThrowsAndKeepsTheFlag() {
        Thread.currentThread().interrupt();

        Throwable thrown = catchThrowable(() -> orders.ship(new Order("1")));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(thrown).isInstanceOf(LockException.class).hasMessageContaining("interrupted");
        assertThat(orders.runs()).hasValue(0);
    }

    @Test
    void theHoldIsAParameterAndTheCurrentHandle() {
        assertThat(orders.handle("text", null)).isPositive();
        assertThatIllegalStateException()
                .isThrownBy(LockedMethod::currentHandle)
                .withMessageStartingWith("no @DistributedLocked method runs on this thread");
    }

    @Test
    void aCallWaitsTenSecondsUnlessThePropertyOrTheAnnotationSaysOtherwise() {
        assertThat(lockOf("defaults").maxWait()).isEqualTo(Duration.ofSeconds(10));
        assertThat(lockOf("options").maxWait()).isEqualTo(Duration.ofSeconds(7));
        try (Application other = Application.over(application.store)
                .with("distlock.annotation.max-wait", "3s")
                .with("tenant", "acme")
                .with("patience", "7s")
                .start(Orders.class)) {
            MethodLocks locks = other.bean(MethodLocks.class);
            assertThat(locks.of(method("defaults"), Orders.class).maxWait()).isEqualTo(Duration.ofSeconds(3));
        }
    }

    @Test
    void aCallThatMayBeSkippedDoesNotWait() {
        assertThat(lockOf("nightly").maxWait()).isZero();
    }

    @Test
    void theTextsAreTheOptionsOfTheLock() {
        assertThat(lockOf("options").options())
                .isEqualTo(LockOptions.defaults()
                        .fixedLease(Duration.ofMinutes(1))
                        .minimumHold(Duration.ofSeconds(2))
                        .maximumHold(Duration.ofMinutes(30))
                        .fair());
        assertThat(lockOf("defaults").options()).isEqualTo(LockOptions.defaults());
    }

    @Test
    void anotherClientTakesTheLockIfTheAnnotationNamesIt() {
        orders.doing(() -> assertThat(isBusy("other")).isFalse());

        orders.otherClient();
    }

    @DistributedLocked(key = "class")
    static class OnClass extends Inherited {
        public String declared() {
            return LockedMethod.currentHandle().lockName();
        }

        Object notPublic() {
            return ThreadHolds.current();
        }
    }

    static class Inherited implements WithMethod {
        public Object inherited() {
            return ThreadHolds.current();
        }

        @Override
        public String implemented() {
            return LockedMethod.currentHandle().lockName();
        }
    }

    interface WithMethod {
        @DistributedLocked(key = "interface")
        String implemented();
    }

    @EnableDistributedLocks(proxyTargetClass = true)
    static class OfClasses {}

    @Test
    void onAClassItMeansThePublicMethodsDeclaredThere() {
        try (Application other = Application.over(application.store).startPlain(OfClasses.class, OnClass.class)) {
            OnClass bean = other.bean(OnClass.class);

            assertThat(bean.declared()).isEqualTo("class");
            assertThat(bean.notPublic()).isNull();
            assertThat(bean.inherited()).isNull();
        }
    }

    @Test
    void aMethodInheritsItFromTheInterface() {
        try (Application other = Application.over(application.store).start(Inherited.class)) {
            assertThat(other.bean(WithMethod.class).implemented()).isEqualTo("interface");
        }
    }
}
