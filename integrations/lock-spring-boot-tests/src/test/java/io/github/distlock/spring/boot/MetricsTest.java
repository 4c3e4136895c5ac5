package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.micrometer.LockMetrics;
import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.tests.waiting.Waiting;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The meters and observations of clients, if lock-micrometer and a registry are there. */
class MetricsTest {
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final ApplicationContextRunner bare = Contexts.memory()
            .withConfiguration(AutoConfigurations.of(LockMetricsAutoConfiguration.class))
            .withPropertyValues("distlock.client-name=shop");
    private final ApplicationContextRunner measured = bare.withBean("registry", MeterRegistry.class, () -> registry);

    private static void await(String what, BooleanSupplier condition) {
        Waiting.await(what, Duration.ofSeconds(20), condition);
    }

    private static LockClient locks(ApplicationContext context) {
        return context.getBean("lockClient", LockClient.class);
    }

    /** Uses each lock once, and returns the values of the tag. */
    private Set<String> tagsOf(LockClient locks, String... names) throws InterruptedException {
        for (String name : names) {
            locks.lock(name).acquire().close();
        }
        await(
                "all holds are timed",
                () -> timers("distlock.hold.duration").stream()
                                .mapToLong(Timer::count)
                                .sum()
                        == names.length);
        return timers("distlock.hold.duration").stream()
                .map(timer -> timer.getId().getTag("lock"))
                .collect(Collectors.toSet());
    }

    private List<Timer> timers(String name) {
        return List.copyOf(registry.find(name).timers());
    }

    private double holds(String client) {
        var gauge = registry.find("distlock.holds").tags("client", client).gauge();
        return gauge == null ? Double.NaN : gauge.value();
    }

    @Test
    void eachClientWithTheSettingsOfThePropertiesIsMeasured() {
        measured.withUserConfiguration(Reports.class).run(context -> {
            LockClient reports = context.getBean("reportLocks", LockClient.class);

            try (LockHandle held = locks(context).lock("orders/42").acquire();
                    LockHandle report = reports.lock("report").acquire();
                    LockHandle second = reports.lock("report/2").acquire()) {
                await("the hold of the first client", () -> holds("shop") == 1);
                await("the holds of the second client", () -> holds("reports") == 2);
            }
            await(
                    "the holds are timed",
                    () -> timers("distlock.hold.duration").stream()
                                    .mapToLong(Timer::count)
                                    .sum()
                            == 3);
        });
    }

    @Test
    void theTagIsTheLiteralBeginningOfTheKeyOrTheNameUpToASeparator() {
        measured.withBean(Jobs.class).run(context -> {
            Set<String> tags = tagsOf(
                    locks(context),
                    "orders/42",
                    "shop:eu/7",
                    "jobs/nightly",
                    "jobs/hourly",
                    "reports/2026/1",
                    "parts-7");

            assertThat(tags)
                    .containsExactlyInAnyOrder("orders", "shop:eu", "jobs/nightly", "jobs", "reports/2026", "parts-");
        });
    }

    @Test
    void aCallHasTheTagOfItsKey() {
        measured.withBean(Jobs.class).run(context -> {
            context.getBean(Jobs.class).eu(7);

            await("the hold is timed", () -> !timers("distlock.hold.duration").isEmpty());
            assertThat(timers("distlock.hold.duration").get(0).getId().getTag("lock"))
                    .isEqualTo("shop:eu");
        });
    }

    @Test
    void aPropertyMakesTheTagTheName() {
        measured.withPropertyValues("distlock.metrics.lock-tag=name")
                .run(context -> assertThat(tagsOf(locks(context), "orders/42", "orders/43"))
                        .containsExactlyInAnyOrder("orders/42", "orders/43"));
    }

    @Test
    void aPropertyMakesTheTagTheSameForAllLocks() {
        measured.withPropertyValues("distlock.metrics.lock-tag=none")
                .run(context -> assertThat(tagsOf(locks(context), "orders/42", "reports/43"))
                        .containsExactly("none"));
    }

    @Test
    void withAnObservationRegistryAWaitIsAnObservation() {
        Observed observed = new Observed(registry);
        measured.withBean(ObservationRegistry.class, () -> observed.registry).run(context -> {
            waitOnce(context);

            assertThat(observed.ended).extracting(Observation.Context::getName).containsExactly("distlock.acquire");
            assertThat(timers("distlock.acquire")).hasSize(1).allMatch(timer -> timer.count() == 1);
        });
    }

    @Test
    void aPropertySwitchesObservationsOff() {
        Observed observed = new Observed(registry);
        measured.withBean(ObservationRegistry.class, () -> observed.registry)
                .withPropertyValues("distlock.observations.enabled=false")
                .run(context -> {
                    waitOnce(context);

                    await(
                            "the acquire counts",
                            () -> !timers("distlock.acquire").isEmpty());
                    assertThat(observed.ended).isEmpty();
                });
    }

    /** Acquires a lock for which it has to wait. The first event of the client, which makes its gauges, is the wait. */
    private void waitOnce(ApplicationContext context) throws Exception {
        LockClient other = context.getBean("other", LockClient.class);
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<Boolean> waiter = new FutureTask<>(() -> {
            try (LockHandle held = locks(context).lock("orders/42").acquire()) {
                return held.isHeld();
            }
        });
        new Thread(waiter, "waiter").start();
        await("it waits", () -> !Double.isNaN(holds("shop")));
        before.close();
        assertThat(waiter.get()).isTrue();
    }

    @Test
    void metricsOfTheApplicationReplaceThoseOfTheStarter() {
        MeterRegistry own = new SimpleMeterRegistry();
        measured.withBean(
                        "mine",
                        LockMetrics.class,
                        () -> LockMetrics.builder(own).build())
                .run(context -> {
                    assertThat(context).hasSingleBean(LockMetrics.class);
                    locks(context).lock("orders/42").acquire().close();

                    await(
                            "the hold is timed",
                            () -> own.find("distlock.hold.duration").timer() != null);
                    assertThat(registry.getMeters()).isEmpty();
                });
    }

    @Test
    void eachOfSeveralMetricsOfTheApplicationMeasures() {
        MeterRegistry second = new SimpleMeterRegistry();
        measured.withBean("second", MeterRegistry.class, () -> second)
                .withBean(
                        "metrics",
                        LockMetrics.class,
                        () -> LockMetrics.builder(registry).build())
                .withBean(
                        "secondMetrics",
                        LockMetrics.class,
                        () -> LockMetrics.builder(second).build())
                .run(context -> {
                    LockHandle held = locks(context).lock("orders/42").acquire();
                    await("the hold", () -> holds("shop") == 1);
                    await(
                            "the hold in the second registry",
                            () -> second.find("distlock.holds").gauge() != null);
                    assertThat(second.get("distlock.holds").gauge().value()).isEqualTo(1);
                    held.close();
                });
    }

    @Test
    void ofTwoRegistriesThePrimaryOneGetsTheMeters() {
        MeterRegistry second = new SimpleMeterRegistry();
        bare.withBean("second", MeterRegistry.class, () -> second)
                .withBean("registry", MeterRegistry.class, () -> registry, bean -> bean.setPrimary(true))
                .run(context -> {
                    assertThat(tagsOf(locks(context), "orders/42")).containsExactly("orders");
                    assertThat(second.getMeters()).isEmpty();
                });
    }

    @Test
    void ofTwoRegistriesWithoutAPrimaryOneNoneGetsMeters() {
        measured.withBean("second", MeterRegistry.class, SimpleMeterRegistry::new)
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(LockMetrics.class);
                    locks(context).lock("orders/42").acquire().close();
                });
    }

    @Test
    void ofTwoObservationRegistriesWithoutAPrimaryOneNoneGetsObservations() {
        Observed observed = new Observed(registry);
        measured.withBean("one", ObservationRegistry.class, () -> observed.registry)
                .withBean("two", ObservationRegistry.class, ObservationRegistry::create)
                .run(context -> {
                    waitOnce(context);

                    await(
                            "the acquire counts",
                            () -> !timers("distlock.acquire").isEmpty());
                    assertThat(observed.ended).isEmpty();
                });
    }

    @Test
    void nothingIsMeasuredWithoutARegistryOrTheLibrary() {
        bare.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LockMetrics.class));
        measured.withPropertyValues("distlock.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LockMetrics.class));
        measured.withClassLoader(new FilteredClassLoader(LockMetrics.class)).run(context -> {
            assertThat(context).hasNotFailed();
            locks(context).lock("orders/42").acquire().close();
            assertThat(registry.getMeters()).isEmpty();
        });
    }

    @Test
    void theActuatorShowsTheMeters() throws Exception {
        try (WebApplication application = WebApplication.start("distlock.client-name", "shop")) {
            locks(application.context).lock("orders/42").acquire().close();
            await("the hold is timed", () -> status(application, "/metrics/distlock.hold.duration") == 200);

            assertThat(application
                            .get("/metrics/distlock.acquire?tag=client:shop&tag=lock:orders")
                            .body())
                    .contains("\"statistic\":\"COUNT\",\"value\":1.0", "\"tag\":\"error\"");
        }
    }

    /** Prometheus wants the same tags for all timers of a name, and Boot adds these to observations alone. */
    @Test
    void acquiresThatOnlyCountHaveTheTagsOfObservations() throws Exception {
        try (WebApplication application = WebApplication.start("management.observations.key-values.region", "eu")) {
            locks(application.context).lock("orders/42").acquire().close();

            await("the acquire counts", () -> status(application, "/metrics/distlock.acquire") == 200);

            assertThat(application
                            .get("/metrics/distlock.acquire?tag=region:eu")
                            .body())
                    .contains("\"statistic\":\"COUNT\",\"value\":1.0");
        }
    }

    private static int status(WebApplication application, String path) {
        try {
            return application.get(path).statusCode();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** A registry that remembers what was observed. */
    private static final class Observed {
        private final ObservationRegistry registry = ObservationRegistry.create();
        private final List<Observation.Context> ended = new CopyOnWriteArrayList<>();

        Observed(MeterRegistry meters) {
            registry.observationConfig()
                    .observationHandler(new DefaultMeterObservationHandler(meters))
                    .observationHandler(new ObservationHandler<>() {
                        @Override
                        public void onStop(Observation.Context context) {
                            ended.add(context);
                        }

                        @Override
                        public boolean supportsContext(Observation.Context context) {
                            return true;
                        }
                    });
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Reports {
        @Bean(defaultCandidate = false)
        LockClient reportLocks(LockClientBuilderConfigurer configurer) {
            return configurer
                    .configure(LockClient.builder(new InMemoryStore().connect()))
                    .name("reports")
                    .build();
        }
    }

    static class Jobs {
        @DistributedLocked(key = "orders/#{#id}")
        public void ship(int id) {}

        @DistributedLocked(key = "shop:eu/#{#id}")
        public void eu(int id) {}

        @DistributedLocked(key = "jobs/nightly")
        public void nightly() {}

        @DistributedLocked(key = {"reports/#{#year}", "reports/2026/#{#year}"})
        public void report(int year) {}

        @DistributedLocked(key = "parts-#{#id}")
        public void part(int id) {}

        @DistributedLocked(key = "#{#name}")
        public void any(String name) {}
    }
}
