package io.github.distlock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the guide shows. */
class GuideTest {
    private final LockBackend backend = new InMemoryStore().connect();
    private final MeterRegistry meterRegistry = new SimpleMeterRegistry();
    private final ObservationRegistry observationRegistry = ObservationRegistry.create();

    @Test
    void api_aClientIsMeasured() throws Exception {
        LockMetrics metrics = LockMetrics.builder(meterRegistry)
                .observations(observationRegistry)
                .build();
        LockClient locks = metrics.build(LockClient.builder(backend).name("orders"));

        try (locks;
                LockHandle held = locks.lock("orders/42").acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(meterRegistry
                            .get("distlock.acquire")
                            .tags("client", "orders", "lock", "orders", "outcome", "acquired")
                            .timer()
                            .count())
                    .isOne();
        }
    }

    @Test
    void api_theTagOfSomeLocksIsChosen() throws Exception {
        Map<String, String> regions = Map.of("orders/eu-42", "orders/eu");
        LockMetrics metrics = LockMetrics.builder(meterRegistry)
                .observations(observationRegistry)
                .lockTag(name -> Optional.ofNullable(regions.get(name)))
                .build();
        try (LockClient locks = metrics.build(LockClient.builder(backend));
                LockHandle held = locks.lock("orders/eu-42").acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(meterRegistry
                            .get("distlock.acquire")
                            .tag("lock", "orders/eu")
                            .timer()
                            .count())
                    .isOne();
        }
    }
}
