package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.config.BeanPostProcessor;

/** Beans of unusual kinds. */
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
}
