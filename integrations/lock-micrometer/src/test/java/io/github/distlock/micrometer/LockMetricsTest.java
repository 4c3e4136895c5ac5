package io.github.distlock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The meters that docs/names.md lists, each after the events that it counts. */
class LockMetricsTest extends MetricsTest {
    private final LockMetrics metrics = LockMetrics.builder(registry).build();
    private final LockClient locks = open(metrics.build(settings()));

    private void awaitAcquires(String outcome, long count) {
        await(outcome, () -> timed("distlock.acquire", "lock", "orders", "outcome", outcome) == count);
    }

    @Test
    void api_anAcquireAndItsHoldAreTimed() throws Exception {
        LockHandle before = other.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);
        store.advance(Duration.ofSeconds(5));
        before.close();
        LockHandle held = waiter.get();
        store.advance(Duration.ofSeconds(7));
        held.close();

        awaitAcquires("acquired", 1);
        await("the hold is timed", () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "released") == 1);
        assertThat(registry.get("distlock.acquire").timer().totalTime(TimeUnit.SECONDS))
                .isBetween(5.0, 65.0);
        assertThat(registry.get("distlock.hold.duration").timer().totalTime(TimeUnit.SECONDS))
                .isBetween(7.0, 67.0);
    }

    @Test
    void api_eachOutcomeOfAnAcquireCounts() throws Exception {
        LockHandle before = other.lock("orders/42").acquire();
        assertThat(locks.lock("orders/42").tryAcquire()).isEmpty();
        awaitAcquires("busy", 1);

        CompletableFuture<LockHandle> canceled = locks.lock("orders/42").acquireAsync();
        canceled.cancel(false);
        awaitAcquires("cancelled", 1);

        Thread.currentThread().interrupt();
        assertThatThrownBy(locks.lock("orders/42")::acquire).isInstanceOf(InterruptedException.class);
        awaitAcquires("interrupted", 1);

        FutureTask<Optional<LockHandle>> unanswered = start(() -> {
            connection.pause();
            return locks.lock("orders/43").tryAcquire();
        });
        await("the request is late", () -> {
            store.advance(Duration.ofMillis(100));
            return unanswered.isDone();
        });
        connection.resume();
        assertThatThrownBy(unanswered::get).hasCauseInstanceOf(LockException.class);
        awaitAcquires("unavailable", 1);

        FutureTask<LockHandle> refused = start(other.readWriteLock("orders/44").readLock()::acquire);
        LockHandle reading = refused.get();
        assertThatThrownBy(locks.lock("orders/44")::acquire).isInstanceOf(LockException.class);
        awaitAcquires("refused", 1);
        reading.close();
        before.close();
    }

    @Test
    void api_aLostHoldCountsOnceWithItsReason() throws Exception {
        LockHandle held = locks.lock("orders/42").acquire();
        store.lose("orders/42");
        await("the loss is noticed", () -> {
            store.advance(Duration.ofSeconds(1));
            return !held.isHeld();
        });
        held.release();

        await("the loss counts", () -> counted("distlock.lost", "lock", "orders", "reason", "gone") == 1);
        await("the hold is timed", () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "lost") == 1);
        locks.lock("orders/42").acquire().close();
        await("the next hold", () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "released") == 1);
        assertThat(timed("distlock.hold.duration", "lock", "orders", "outcome", "lost"))
                .isOne();
    }

    @Test
    void api_aReleaseThatFindsNoHoldCountsAsOneLostHold() throws Exception {
        LockHandle held = locks.lock("orders/42").acquire();
        store.delete("orders/42");

        assertThat(held.release()).isEqualTo(LockHandle.Release.LOST);

        await("the hold is timed", () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "lost") == 1);
        locks.lock("orders/42").acquire().close();
        await("the next hold", () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "released") == 1);
        assertThat(timed("distlock.hold.duration", "lock", "orders", "outcome", "lost"))
                .isOne();
    }

    @Test
    void api_aReleaseWithoutAnAnswerCountsAsUnconfirmed() throws Exception {
        LockHandle held = locks.lock("orders/42").acquire();
        connection.pause();
        FutureTask<LockHandle.Release> release = start(held::release);
        await("the release is given up", () -> {
            store.advance(Duration.ofMillis(100));
            return release.isDone();
        });
        connection.resume();

        await(
                "the hold is timed",
                () -> timed("distlock.hold.duration", "lock", "orders", "outcome", "unconfirmed") == 1);
    }

    @Test
    void api_renewalsAreTimedWithTheirOutcome() throws Exception {
        LockHandle held = locks.lock("orders/42").acquire();
        await("a renewal", () -> {
            store.advance(Duration.ofSeconds(1));
            return timed("distlock.renewal", "outcome", "ok") > 0;
        });
        connection.pause();
        await("a failed renewal", () -> {
            store.advance(Duration.ofSeconds(1));
            return timed("distlock.renewal", "outcome", "failed") > 0;
        });
        connection.resume();
        held.release();
    }

    @Test
    void api_handoffsCountByKind() throws Exception {
        LockClient client = open(metrics.build(settings().localHandoff(64, LONG)));
        LockHandle held = client.lock("orders/42").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", client.lock("orders/42")::acquire);
        held.close();
        waiter.get().close();
        await("a local handoff", () -> counted("distlock.handoff", "lock", "orders", "kind", "local") == 1);

        var sticky = client.lock("orders/43", LockOptions.defaults().sticky());
        sticky.acquire().close();
        sticky.acquire().close();
        await("a reacquire", () -> counted("distlock.handoff", "lock", "orders", "kind", "reacquired") == 1);

        var shared = client.readWriteLock("orders/44").readLock();
        try (LockHandle first = shared.acquire();
                LockHandle second = shared.acquire()) {
            assertThat(second.fencingToken()).isEqualTo(first.fencingToken());
        }
        await("a join", () -> counted("distlock.handoff", "lock", "orders", "kind", "joined") == 1);
    }

    @Test
    void api_holdsAndWaitersAreGauges() throws Exception {
        LockHandle held = locks.lock("orders/42").acquire();
        LockHandle alsoHeld = locks.lock("orders/43").acquire();
        FutureTask<LockHandle> waiter = startWaiting("orders/42", locks.lock("orders/42")::acquire);

        await("two holds", () -> gauge("distlock.holds", "orders") == 2);
        await("a waiter", () -> gauge("distlock.waiters", "orders") == 1);

        held.close();
        waiter.get().close();
        alsoHeld.close();
        await("no hold", () -> gauge("distlock.holds", "orders") == 0);
        await("no waiter", () -> gauge("distlock.waiters", "orders") == 0);
    }

    @Test
    void api_clientsOfOneNameShareTheirMeters() throws Exception {
        LockHandle before = locks.lock("orders/42").acquire();
        await("the hold of the first client", () -> gauge("distlock.holds", "orders") == 1);
        before.close();
        locks.close();
        await("no hold", () -> gauge("distlock.holds", "orders") == 0);
        LockClient next = open(metrics.build(LockClient.builder(store.connect()).name("orders")));

        LockHandle held = next.lock("orders/42").acquire();

        await("the hold of the next client", () -> gauge("distlock.holds", "orders") == 1);
        held.close();
    }

    @Test
    void api_aClientThatOtherCodeBuildsHasTheNameThatItIsBuiltWith() throws Exception {
        LockClient client =
                open(metrics.measure(settings().name("before")).name("orders").build());
        metrics.show(client);

        LockHandle held = client.lock("orders/42").acquire();

        await("the hold", () -> gauge("distlock.holds", "orders") == 1);
        awaitAcquires("acquired", 1);
        held.close();
        assertThat(registry.getMeters())
                .allMatch(meter -> "orders".equals(meter.getId().getTag("client")));
    }

    @Test
    void api_settingsThatAreMeasuredTwiceCountOnce() throws Exception {
        LockClient client = open(metrics.build(metrics.measure(settings())));

        client.lock("orders/42").acquire().close();
        client.lock("barrier").acquire().close();

        await("later events", () -> timed("distlock.hold.duration", "lock", "barrier") > 0);
        assertThat(timed("distlock.acquire", "lock", "orders")).isOne();
        assertThat(timed("distlock.hold.duration", "lock", "orders")).isOne();
    }

    @Test
    void api_aClientThatIsShownTwiceIsCountedOnce() throws Exception {
        metrics.show(locks);

        LockHandle held = locks.lock("orders/42").acquire();

        await("the hold", () -> gauge("distlock.holds", "orders") == 1);
        held.close();
    }

    @Test
    void api_theNextUseShowsTheMetersAgainAfterTheRegistryWasCleared() throws Exception {
        locks.lock("orders/42").acquire().close();
        await("the hold is timed", () -> timed("distlock.hold.duration", "lock", "orders") == 1);
        registry.clear();

        LockHandle held = locks.lock("orders/42").acquire();

        await("the hold", () -> gauge("distlock.holds", "orders") == 1);
        await("no waiter", () -> gauge("distlock.waiters", "orders") == 0);
        await(
                "the counter of dropped handles",
                () -> registry.find("distlock.leaked").counter() != null);
        held.close();
    }

    @Test
    void api_metersOfRareEventsExistFromTheFirstUse() throws Exception {
        locks.lock("orders/42").acquire().close();

        await(
                "the counter of dropped events",
                () -> registry.find("distlock.listener.dropped").counter() != null);
        assertThat(registry.get("distlock.leaked").counter().count()).isZero();
        assertThat(registry.get("distlock.renewal")
                        .tag("outcome", "failed")
                        .timer()
                        .count())
                .isZero();
        assertThat(registry.get("distlock.handoff")
                        .tags("lock", "orders", "kind", "local")
                        .counter()
                        .count())
                .isZero();
    }

    @Test
    void api_droppedHandlesAndEventsCount() {
        ClientMeters meters = metrics.meters(() -> "orders");

        meters.eventsDropped(7);
        meters.leaked(null);

        assertThat(counted("distlock.listener.dropped")).isEqualTo(7);
        assertThat(counted("distlock.leaked")).isOne();
    }

    // The tag "lock"

    @Test
    void api_theTagIsTheTextBeforeTheFirstSeparator() throws Exception {
        for (String name : List.of("a/1/x", "b:1/x", "c", "/d/1", "//", "orders/42")) {
            locks.lock(name).acquire().close();
        }

        await(
                "all holds are timed",
                () -> tags("distlock.hold.duration", "lock").size() == 6);
        assertThat(tags("distlock.hold.duration", "lock")).containsOnly("a", "b", "c", "d", "other", "orders");
    }

    @Test
    void api_theApplicationMayChooseTheTag() throws Exception {
        LockClient client = open(LockMetrics.builder(registry)
                .lockTag(name -> name.startsWith("orders/eu-") ? Optional.of("orders/eu-") : Optional.empty())
                .build()
                .build(settings()));

        client.lock("orders/eu-42").acquire().close();
        client.lock("orders/42").acquire().close();

        await("both tags", () -> tags("distlock.hold.duration", "lock").equals(Set.of("orders/eu-", "orders")));
    }

    @Test
    void api_afterAHundredTagsFurtherOnesCountAsOtherWithOneWarning() throws Exception {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(LockMetrics.class);
        log.start();
        logger.setLevel(Level.WARN);
        logger.addAppender(log);
        try {
            for (int i = 0; i < 102; i++) {
                locks.lock("name" + i).acquire().close();
            }
            locks.lock("name7").acquire().close();

            await("both others", () -> timed("distlock.hold.duration", "lock", "other", "outcome", "released") == 2);
            await("the known one", () -> timed("distlock.hold.duration", "lock", "name7", "outcome", "released") == 2);
            assertThat(tags("distlock.hold.duration", "lock")).hasSize(101);
            assertThat(log.list).hasSize(1);
            assertThat(log.list.get(0).getFormattedMessage()).contains("name100", "other");
        } finally {
            logger.detachAppender(log);
            logger.setLevel(null);
        }
    }

    private Set<String> tags(String meter, String key) {
        return registry.find(meter).meters().stream()
                .map(Meter::getId)
                .flatMap(id -> id.getTags().stream())
                .filter(tag -> tag.getKey().equals(key))
                .map(Tag::getValue)
                .collect(Collectors.toSet());
    }

    // Prometheus

    @Test
    void api_prometheusGetsEachMeterUnderItsName() throws Exception {
        PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        LockClient client = open(LockMetrics.builder(prometheus).build().build(settings()));
        client.lock("orders/42").acquire().close();

        await("the hold is timed", () -> prometheus.scrape().contains("distlock_hold_duration_seconds_count"));

        assertThat(prometheus.scrape())
                .contains(
                        "distlock_acquire_seconds_count{client=\"orders\",lock=\"orders\",outcome=\"acquired\"} 1",
                        "distlock_hold_duration_seconds_count{"
                                + "client=\"orders\",lock=\"orders\",outcome=\"released\"} 1",
                        "distlock_holds{client=\"orders\",lock=\"orders\"} 0.0",
                        "distlock_waiters{client=\"orders\",lock=\"orders\"} 0.0",
                        "distlock_leaked_total{client=\"orders\"} 0.0",
                        "distlock_listener_dropped_total{client=\"orders\"} 0.0");
    }
}
