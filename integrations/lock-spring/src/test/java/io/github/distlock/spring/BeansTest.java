package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryStore;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

/** Beans of unusual kinds: processors, lazy beans, prototypes, products of factories, and what is destroyed late. */
class BeansTest {

    static class Processor implements BeanPostProcessor {}

    static class Orders {
        @DistributedLocked(key = "orders", maxWait = "0s")
        public boolean ship() {
            return LockedMethod.currentHandle().isHeld();
        }
    }

    /** It is created before the values of placeholders are known, and asks for the advisor. */
    @Test
    void aBeanPostProcessorOfTheApplicationDoesNotPreventTheStartUp() {
        try (Application application = Application.of(Processor.class, Orders.class)) {
            assertThat(application.bean(Orders.class).ship()).isTrue();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement(order = 0)
    static class TransactionOutside {}

    static class InTransaction {
        static final AtomicInteger RUNS = new AtomicInteger();

        @Transactional
        @DistributedLocked(key = "k")
        public void run() {
            RUNS.incrementAndGet();
        }
    }

    @Lazy
    static class LazyBean extends InTransaction {
        @Override
        @Transactional
        @DistributedLocked(key = "k")
        public void run() {
            super.run();
        }
    }

    @Scope("prototype")
    static class Prototype extends LazyBean {}

    @Test
    void theFirstCallOfABeanThatIsCreatedLaterChecksTheOrder() {
        try (Application application =
                Application.of(TransactionOutside.class, Register.class, LazyBean.class, Prototype.class)) {
            InTransaction.RUNS.set(0);
            for (InTransaction bean :
                    new InTransaction[] {application.bean(Prototype.class), application.bean(Prototype.class)}) {
                assertThatIllegalStateException()
                        .isThrownBy(bean::run)
                        .withMessageContaining("the transaction of the method stands outside of the lock");
            }
            assertThatIllegalStateException()
                    .isThrownBy(() -> ((InTransaction) application.context().getBean("beansTest.LazyBean")).run())
                    .withMessageContaining("the transaction of the method stands outside of the lock");
            assertThat(InTransaction.RUNS).hasValue(0);
        }
    }

    interface Rows {
        @DistributedLocked(key = "rows/#{#id}")
        String find(int id);
    }

    /** As libraries make repositories and clients of interfaces. */
    static class RowsFactory implements FactoryBean<Rows> {
        @Override
        public Rows getObject() {
            return (Rows) Proxy.newProxyInstance(
                    Rows.class.getClassLoader(),
                    new Class<?>[] {Rows.class},
                    (proxy, method, arguments) -> LockedMethod.currentHandle().lockName());
        }

        @Override
        public Class<?> getObjectType() {
            return Rows.class;
        }
    }

    @Test
    void theKeyOfAnInterfaceWithoutAClassMayUseItsParameters() {
        try (Application application = Application.of(RowsFactory.class)) {
            assertThat(application.bean(Rows.class).find(42)).isEqualTo("rows/42");
        }
    }

    static class Shop {
        @DistributedLocked(key = "shop", client = "late")
        public boolean close() {
            return LockedMethod.currentHandle().isHeld();
        }
    }

    static class Closing implements DisposableBean {
        static volatile boolean wasLocked;

        private final Shop shop;

        Closing(Shop shop) {
            this.shop = shop;
        }

        @Override
        public void destroy() {
            wasLocked = shop.close();
        }
    }

    /** Its client is created after the beans that use it, so the container would destroy it before them. */
    @Configuration(proxyBeanMethods = false)
    static class LateClient {
        @Bean(defaultCandidate = false)
        LockClient late() {
            return LockClient.create(new InMemoryStore().connect());
        }
    }

    @Test
    void theClientIsOpenUntilBeansThatUseLockedOnesAreDestroyed() {
        Closing.wasLocked = false;

        Application.of(Shop.class, Closing.class, LateClient.class).close();

        assertThat(Closing.wasLocked).isTrue();
    }
}
