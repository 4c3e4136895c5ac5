package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.memory.InMemoryStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Lazy;

/** Which key a lock has its name from. */
class DistributedLockKeysTest {
    private final Application application =
            Application.over(new InMemoryStore()).with("region", "eu").start(Jobs.class, LazyJobs.class);
    private final DistributedLockKeys keys = application.bean(DistributedLockKeys.class);

    @AfterEach
    void close() {
        application.close();
    }

    static class Jobs {
        @DistributedLocked(key = {"orders/${region}/#{#id}", "parts-#{#id}/x"})
        public void ship(int id) {}

        @DistributedLocked(key = "orders/#{#id}")
        public void order(int id) {}

        @DistributedLocked(key = "nightly")
        public void nightly() {}

        @DistributedLocked(key = "#{#name}")
        public void any(String name) {}
    }

    @Lazy
    static class LazyJobs {
        @DistributedLocked(key = "lazy/#{#id}")
        public void run(int id) {}
    }

    @Test
    void theTextBeforeTheFirstExpressionIsTheBeginningOfTheName() {
        assertThat(keys.literalOf("orders/42")).contains("orders/");
        assertThat(keys.literalOf("parts-7/x")).contains("parts-");
        assertThat(keys.literalOf("lazy/1")).contains("lazy/");
        assertThat(keys.literalOf("reports/42")).isEmpty();
    }

    @Test
    void theLongestTextThatFitsCounts() {
        assertThat(keys.literalOf("orders/eu/42")).contains("orders/eu/");
        assertThat(keys.literalOf("orders/us/42")).contains("orders/");
    }

    @Test
    void aKeyWithoutAnExpressionIsTheWholeName() {
        assertThat(keys.literalOf("nightly")).contains("nightly");
        assertThat(keys.literalOf("nightly/2")).isEmpty();
    }
}
