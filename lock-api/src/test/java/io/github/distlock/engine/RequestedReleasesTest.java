package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockEvent;
import io.github.distlock.LockListener;
import io.github.distlock.LockOwner;
import io.github.distlock.ReleaseRequest;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.ManualClock;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.ReleaseRequests.Listeners;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Validity;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** V12 where the engine decides: when it reads requests for release, and which holds hear of them. */
class RequestedReleasesTest {
    private static final long INTERVAL = Duration.ofMillis(500).toNanos();
    private static final LockOwner OPERATOR = LockOwner.of("host", 1, "operator", "thread");

    private final Store store = new Store();
    private final List<String> events = new ArrayList<>();
    private final ThreadlessEngine client = new ThreadlessEngine(store, new LockListener() {
        @Override
        public void releaseRequested(LockEvent event, ReleaseRequest request) {
            events.add(event.fencingToken() + " after " + event.duration().toMillis());
        }
    });
    private final ManualClock clock = client.clock;
    private final ReleaseRequests requests = client.keeper.releaseRequests();
    private final List<ReleaseRequest> heard = new ArrayList<>();
    private final AtomicBoolean isHeld = new AtomicBoolean(true);

    RequestedReleasesTest() {
        clock.advance(Duration.ofHours(1).toNanos());
        client.runTimer(); // The keeper of a client without threads has a look planned at the beginning.
    }

    private static final class Store extends NoStore {
        private final Map<Grant, RequestedRelease> last = new HashMap<>();
        private final List<Integer> reads = new ArrayList<>();
        private final List<Long> timeouts = new ArrayList<>();
        private Set<Capability> capabilities = Set.of(Capability.RELEASE_REQUESTS);
        private Runnable reading = () -> {};

        @Override
        public Set<Capability> capabilities() {
            return capabilities;
        }

        @Override
        public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline) {
            reads.add(grants.size());
            timeouts.add(deadline.remainingNanos());
            reading.run();
            return last;
        }
    }

    private WonGrant won(String server) {
        Grant grant = new SharedGrant(new Journal(), List.of(), Validity.of(clock.now(), Duration.ofSeconds(10))) {
            @Override
            public Object server() {
                return server;
            }
        };
        Contender contender = new Contender() {
            @Override
            public Attempt attempt(Deadline deadline) {
                return Attempt.busy(Duration.ZERO);
            }

            @Override
            public void withdraw(Deadline deadline) {}
        };
        return new WonGrant(grant, contender, LockRequest.exclusive("lock", Duration.ofSeconds(10), OPERATOR));
    }

    private final WonGrant won = won("server");

    private Listeners listeners(WonGrant of, boolean isFirst, BooleanSupplier held) {
        return new Listeners(of, 17, clock.nanoTime(), isFirst, held, client.acquisitions.callbacks());
    }

    private Listeners listening() {
        Listeners listeners = listeners(won, true, isHeld::get);
        listeners.add(heard::add);
        return listeners;
    }

    private void request(String id, long cameBy) {
        store.last.put(won.grant(), new RequestedRelease(id, OPERATOR, cameBy));
    }

    private void watch(Listeners listeners) {
        requests.watch(listeners);
        clock.runAll();
    }

    private void lookAfter(long nanos) {
        clock.advance(nanos);
        client.runTimer();
        clock.runAll();
    }

    @Test
    void api_aStoreWithoutRequestsIsRefused() {
        requests.requireSupport();
        store.capabilities = Set.of();

        assertThatThrownBy(requests::requireSupport).hasMessage("this store has no RELEASE_REQUESTS");
    }

    @Test
    void v12_theHoldsOfAServerAreReadAtOnceAndThenTogetherTwiceASecond() {
        Listeners first = listening();
        watch(first);
        Listeners second = listeners(won("server"), true, () -> true);
        watch(second);
        Listeners other = listeners(won("other"), true, () -> true);
        watch(other);
        assertThat(store.reads).containsExactly(1, 1, 1);
        assertThat(client.timed()).hasSize(1);

        lookAfter(INTERVAL - 1);
        assertThat(store.reads).hasSize(3);
        lookAfter(1);

        assertThat(store.reads.subList(3, 5)).containsExactlyInAnyOrder(2, 1);
        assertThat(client.timed()).hasSize(1);
        assertThat(store.timeouts).containsOnly(HoldLincheckTest.SETTINGS.requestTimeout());
        assertThat(List.of(first, second, other)).doesNotHaveDuplicates();
    }

    @Test
    void v12_nothingIsReadAfterTheLastHoldWithAListener() {
        Listeners listening = listening();
        watch(listening);

        isHeld.set(false);
        lookAfter(INTERVAL);

        assertThat(store.reads).hasSize(1);
        assertThat(client.timed()).isEmpty();
        assertThat(listening).isNotNull();
    }

    @Test
    void v9_aHandleThatWasDroppedIsNotRead() {
        Listeners dropped = listening();
        watch(dropped);
        ((WeakReference<?>) ThreadlessEngine.read(dropped, "reference")).clear();

        lookAfter(INTERVAL);

        assertThat(store.reads).hasSize(1);
        assertThat(client.timed()).isEmpty();
    }

    @Test
    void v12_eachRequestIsHeardOnceByEachListener() {
        Listeners listening = listening();
        request("1", clock.nanoTime() - 5);
        watch(listening);
        lookAfter(INTERVAL);
        assertThat(heard).hasSize(1);
        List<ReleaseRequest> heardLater = new ArrayList<>();
        listening.add(heardLater::add);
        assertThat(heardLater).isEqualTo(heard);

        request("2", clock.nanoTime());
        lookAfter(INTERVAL);

        assertThat(heard).hasSize(2);
        assertThat(heardLater).hasSize(2);
        assertThat(events).containsExactly("17 after 0", "17 after 1000");
        assertThat(listening).isNotNull();
    }

    @Test
    void v12_aRequestSaysWhoHasAskedAndWhen() {
        Listeners listening = listening();
        request("1", clock.nanoTime() - Duration.ofMillis(40).toNanos());

        watch(listening);

        assertThat(heard).singleElement().satisfies(request -> {
            assertThat(request.lockName()).isEqualTo("lock");
            assertThat(request.requester()).isEqualTo(OPERATOR);
            assertThat(request.arrived()).isEqualTo(Instant.ofEpochMilli(clock.wallMillis() - 40));
        });
    }

    @Test
    void v12_aHoldAfterALocalHandoffHearsOnlyOfLaterRequests() {
        Listeners handedOff = listeners(won, false, () -> true);
        handedOff.add(heard::add);
        request("1", clock.nanoTime() - 1);
        watch(handedOff);
        assertThat(heard).isEmpty();

        request("2", clock.nanoTime());
        lookAfter(INTERVAL);

        assertThat(heard).hasSize(1);
        assertThat(handedOff).isNotNull();
    }

    @Test
    void v12_aHoldThatHasEndedHearsNothing() {
        List<Boolean> answers = new ArrayList<>(List.of(true, true, false));
        Listeners ends = listeners(won, true, () -> answers.remove(0));
        ends.add(heard::add);
        ends.add(heard::add);
        request("1", clock.nanoTime());
        watch(ends);
        assertThat(heard).as("of two calls, one after the end").hasSize(1);

        Listeners ended = listeners(won, true, () -> false);
        ended.add(heard::add);
        watch(ended);
        assertThat(heard).hasSize(1);
        assertThat(events).hasSize(1);
    }

    @Test
    void v12_aServerIsReadOnceAtATime() {
        Listeners first = listening();
        Listeners second = listening();
        requests.watch(first);
        requests.watch(second);

        clock.runAll();

        assertThat(store.reads).containsExactly(1);
        lookAfter(INTERVAL);
        assertThat(store.reads).as("two holds of one grant").containsExactly(1, 1);
        assertThat(List.of(first, second)).isNotNull();
    }

    @Test
    void v12_aReadThatFailsIsMadeUpForByTheNextOne() {
        Listeners listening = listening();
        store.reading = () -> {
            throw new IllegalStateException("planted");
        };
        watch(listening);
        store.reading = () -> {};
        request("1", clock.nanoTime());

        lookAfter(INTERVAL);

        assertThat(heard).hasSize(1);
        assertThat(listening).isNotNull();
    }

    @Test
    void v12_aReadThatNoThreadCanSendIsMadeUpForByTheNextOne() {
        Listeners listening = listening();
        watch(listening);
        clock.advance(INTERVAL);
        clock.tracking = () -> {
            throw new OutOfMemoryError("planted");
        };
        assertThatThrownBy(client::runTimer).hasMessage("planted");
        clock.tracking = () -> {};
        request("1", clock.nanoTime());

        lookAfter(INTERVAL);

        assertThat(heard).hasSize(1);
        assertThat(listening).isNotNull();
    }
}
