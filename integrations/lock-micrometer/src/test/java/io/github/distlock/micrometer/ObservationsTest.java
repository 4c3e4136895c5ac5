package io.github.distlock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.micrometer.common.KeyValue;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.observation.DefaultMeterObservationHandler;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Acquires that wait are observations, and each acquire counts once in the timer. */
class ObservationsTest extends MetricsTest {
    private final TestObservationRegistry observations = TestObservationRegistry.create();

    @BeforeEach
    void handleTimers() {
        observations.observationConfig().observationHandler(new DefaultMeterObservationHandler(registry));
    }

    private LockClient locks(boolean everyAcquire) {
        return open(LockMetrics.builder(registry)
                .observations(observations)
                .observeEveryAcquire(everyAcquire)
                .build()
                .build(settings()));
    }

    private static TestObservationRegistryAssert.TestObservationRegistryAssertReturningObservationContextAssert
            onlyObservation(TestObservationRegistry observations) {
        return TestObservationRegistryAssert.assertThat(observations)
                .hasSingleObservationThat()
                .hasNameEqualTo("distlock.acquire")
                .hasBeenStarted()
                .hasBeenStopped();
    }

    private long acquires(String outcome) {
        return timed("distlock.acquire", "lock", "orders", "outcome", outcome, "error", "none");
    }

    @Test
    void api_anAcquireThatWaitsIsAnObservation() throws Exception {
        LockClient locks = locks(false);
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        before.close();
        LockHandle held = waiter.get();

        onlyObservation(observations)
                .hasContextualNameEqualTo("acquire orders")
                .hasLowCardinalityKeyValue("client", "orders")
                .hasLowCardinalityKeyValue("lock", "orders")
                .hasLowCardinalityKeyValue("outcome", "acquired")
                .hasHighCardinalityKeyValue("lock.name", "orders/42")
                .hasHighCardinalityKeyValue("fencing.token", Long.toString(held.fencingToken()));
        held.close();
        await("the hold is timed", () -> timed("distlock.hold.duration", "outcome", "released") == 1);
        assertThat(acquires("acquired")).isOne();
    }

    @Test
    void api_anAcquireThatDoesNotWaitOnlyCounts() throws Exception {
        LockClient locks = locks(false);
        LockHandle before = other.lock("orders/42").acquire();
        assertThat(locks.lock("orders/42").tryAcquire()).isEmpty();
        before.close();

        locks.lock("orders/42").acquire().close();

        await("the hold is timed", () -> timed("distlock.hold.duration", "outcome", "released") == 1);
        TestObservationRegistryAssert.assertThat(observations).doesNotHaveAnyObservation();
        assertThat(acquires("acquired")).isOne();
        assertThat(acquires("busy")).isOne();
    }

    @Test
    void api_eachBlockingAcquireIsAnObservationIfAskedFor() throws Exception {
        LockClient locks = locks(true);

        locks.lock("orders/42").acquire().close();

        onlyObservation(observations).hasLowCardinalityKeyValue("outcome", "acquired");
        await("the hold is timed", () -> timed("distlock.hold.duration", "outcome", "released") == 1);
        assertThat(acquires("acquired")).isOne();
    }

    @Test
    void api_anAcquireWhoseObservationIsRefusedOnlyCountsAndLeavesNoScope() throws Exception {
        observations.observationConfig().observationPredicate((name, context) -> false);
        LockClient locks = locks(true);

        locks.lock("orders/42").acquire().close();

        assertThat(observations.getCurrentObservationScope()).isNull();
        assertThat(acquires("acquired")).isOne();
    }

    @Test
    void api_asynchronousAcquiresOnlyCount() throws Exception {
        LockClient locks = locks(true);

        locks.lock("orders/42").acquireAsync().get().close();

        await("the acquire counts", () -> acquires("acquired") == 1);
        TestObservationRegistryAssert.assertThat(observations).doesNotHaveAnyObservation();
    }

    @Test
    void api_anInterruptedWaitEndsItsObservation() throws Exception {
        LockClient locks = locks(false);
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<Optional<LockHandle>> waiter =
                new FutureTask<>(() -> locks.lock("orders/42").tryAcquire(LONG));
        Thread thread = new Thread(waiter, "task");
        thread.start();
        awaitWaiter("orders/42");
        thread.interrupt();
        thread.join();
        before.close();

        onlyObservation(observations).hasLowCardinalityKeyValue("outcome", "interrupted");
        await("the acquire counts", () -> acquires("interrupted") == 1);
    }

    @Test
    void api_theWaitIsAChildOfTheCallersObservationWhichIsCurrentAfterwards() throws Exception {
        LockClient locks = locks(false);
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<Boolean> waiter = startWaiting("orders/42", () -> {
            Observation caller = Observation.start("caller", observations);
            try (Observation.Scope scope = caller.openScope();
                    LockHandle held = locks.lock("orders/42").acquire()) {
                return held.isHeld() && observations.getCurrentObservationScope() == scope;
            } finally {
                caller.stop();
            }
        });
        before.close();

        assertThat(waiter.get()).isTrue();
        TestObservationRegistryAssert.assertThat(observations)
                .hasObservationWithNameEqualTo("distlock.acquire")
                .that()
                .hasParentObservationContextMatching(parent -> parent.getName().equals("caller"));
    }

    @Test
    void api_aRegistryThatDoesNothingCountsAsNone() throws Exception {
        LockClient locks = open(LockMetrics.builder(registry)
                .observations(ObservationRegistry.NOOP)
                .build()
                .build(settings()));

        locks.lock("orders/42").acquire().close();

        await("the acquire counts", () -> timed("distlock.acquire", "outcome", "acquired") == 1);
        assertThat(keys("distlock.acquire")).containsExactly("client", "lock", "outcome");
    }

    @Test
    void api_aWaitCountsWhileTheRegistryHasNoHandlers() throws Exception {
        ObservationRegistry observations = ObservationRegistry.create();
        LockClient locks = open(
                LockMetrics.builder(registry).observations(observations).build().build(settings()));
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        before.close();
        waiter.get().close();
        assertThat(acquires("acquired")).isOne();

        observations.observationConfig().observationHandler(new DefaultMeterObservationHandler(registry));
        LockHandle again = other.lock("orders/42").acquire();
        waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        again.close();
        waiter.get().close();
        assertThat(acquires("acquired")).isEqualTo(2);
    }

    /** Prometheus wants the same labels for all series of a name. */
    @Test
    void api_observedAndCountedAcquiresHaveTheSameLabels() throws Exception {
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ObservationRegistry observations = ObservationRegistry.create();
        observations.observationConfig().observationHandler(new DefaultMeterObservationHandler(prometheus));
        LockClient locks = open(LockMetrics.builder(prometheus)
                .observations(observations)
                .build()
                .build(settings()));
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        before.close();
        waiter.get().close();
        locks.lock("orders/42").acquire().close();

        assertThat(prometheus.scrape())
                .contains("distlock_acquire_seconds_count{"
                        + "client=\"orders\",error=\"none\",lock=\"orders\",outcome=\"acquired\"} 2");
    }

    @Test
    void api_acquiresThatOnlyCountHaveTheTagsThatFiltersAdd() throws Exception {
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ObservationRegistry observations = ObservationRegistry.create();
        ObservationFilter filter = context -> context.getName().equals("distlock.acquire")
                ? context.addLowCardinalityKeyValue(KeyValue.of("region", "eu"))
                : context;
        observations
                .observationConfig()
                .observationFilter(filter)
                .observationHandler(new DefaultMeterObservationHandler(prometheus));
        LockClient locks = open(LockMetrics.builder(prometheus)
                .observations(observations)
                .observationFilter(filter)
                .build()
                .build(settings()));

        locks.lock("orders/42").acquire().close();
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        before.close();
        waiter.get().close();

        assertThat(prometheus.scrape())
                .contains("distlock_acquire_seconds_count{client=\"orders\",error=\"none\",lock=\"orders\","
                        + "outcome=\"acquired\",region=\"eu\"} 2");
    }

    private List<String> keys(String meter) {
        Meter found = registry.get(meter).meter();
        return found.getId().getTags().stream().map(Tag::getKey).toList();
    }
}
