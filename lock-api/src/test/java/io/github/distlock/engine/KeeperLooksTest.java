package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockEvent;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.HoldLincheckTest.ManualClock;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.HoldLincheckTest.Waiter;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** When the keeper looks at leases and waiters, and which requests it sends, one step after the other. */
class KeeperLooksTest {
    private static final Duration LEASE = Duration.ofSeconds(24);
    /** A third of the lease. */
    private static final long RENEWED_AFTER = Duration.ofSeconds(8).toNanos();
    /** An eighth of that. */
    private static final long AHEAD = Duration.ofSeconds(1).toNanos();

    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final long MILLISECOND = Duration.ofMillis(1).toNanos();
    private static final long INTERVAL = Duration.ofSeconds(2).toNanos();

    private final Store store = new Store();
    private final List<String> failures = new ArrayList<>();
    private final ThreadlessEngine client = new ThreadlessEngine(store, new LockListener() {
        @Override
        public void renewalFailed(LockEvent event, Throwable cause) {
            failures.add(cause.getMessage() + " after " + event.duration().toMillis());
        }
    });
    private final ManualClock clock = client.clock;
    private final LeaseKeeper keeper = client.keeper;

    KeeperLooksTest() {
        clock.advance(Duration.ofHours(1).toNanos());
        client.runTimer(); // The keeper of a client without threads has a look planned at the beginning.
    }

    /** Counts the requests of each batch. */
    private final class Store extends NoStore {
        private final List<Integer> batches = new ArrayList<>();
        private final List<Long> timeouts = new ArrayList<>();
        private final List<Integer> heartbeats = new ArrayList<>();
        private Duration interval = Duration.ofNanos(INTERVAL);
        private Consumer<Renewal> renewing = this::renew;
        private Runnable heartbeating = () -> {};

        private void renew(Renewal renewal) {
            renewal.renewed(Validity.of(clock.now(), renewal.lease()));
        }

        @Override
        public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
            batches.add(due.size());
            timeouts.add(deadline.remainingNanos());
            due.forEach(renewing);
        }

        @Override
        public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) {
            heartbeats.add(waiting.size());
            timeouts.add(deadline.remainingNanos());
            heartbeating.run();
        }

        @Override
        public Duration heartbeatInterval() {
            return interval;
        }
    }

    private record Granted(Object server, Validity validity) implements Grant {
        @Override
        public long fencingBase() {
            return 7;
        }

        @Override
        public Release release(Deadline deadline) {
            return Release.RELEASED;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }

    private record Waiting(Object server) implements Contender {
        @Override
        public Attempt attempt(Deadline deadline) {
            return Attempt.busy(Duration.ZERO);
        }

        @Override
        public void withdraw(Deadline deadline) {}
    }

    @CanIgnoreReturnValue
    private Lease held(String name, String server) {
        return held(name, server, Validity.of(clock.now(), LEASE));
    }

    @CanIgnoreReturnValue
    private Lease held(String name, String server, Validity validity) {
        LockKey key =
                new LockKey(name, LockMode.EXCLUSIVE, LockOptions.defaults().renewedLease(validity.length()));
        LocalQueue queue = client.queues.get(key);
        Waiter first = new Waiter(key, client);
        first.enter();
        QueueEntry entry = queue.claim(first, clock.nanoTime()).entry();
        Lease lease = queue.granted(entry, first, new Granted(server, validity));
        first.settle(new Outcome.Offered(lease.offer()));
        return lease;
    }

    /** Has the keeper look after some time, and the engine's threads send what it has for them. */
    private void lookAfter(long nanos) {
        clock.advance(nanos);
        client.runTimer();
        clock.runAll();
    }

    private long planned() {
        return client.timed().iterator().next().nanoTime();
    }

    @Test
    void v8_aLeaseIsRenewedWhenItsTimeHasCome() {
        Lease lease = held("a", "server");
        lookAfter(RENEWED_AFTER - AHEAD - 1);
        assertThat(store.batches).isEmpty();

        lookAfter(SECOND + 1);

        assertThat(store.batches).containsExactly(1);
        assertThat(store.timeouts).containsExactly(HoldLincheckTest.SETTINGS.requestTimeout());
        assertThat(lease.nextLook()).isEqualTo(clock.nanoTime() + RENEWED_AFTER);
        assertThat(keeper.leases()).containsExactly(lease);
    }

    @Test
    void v8_theKeeperLooksEachSecondAndEarlierForTheFirstThatNeedsIt() {
        var first = held("a", "server");
        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND);
        lookAfter(SECOND);
        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND);

        keeper.lookBy(clock.nanoTime() + 5);
        keeper.lookBy(clock.nanoTime() + 7);

        assertThat(client.timed()).hasSize(1);
        assertThat(planned()).isEqualTo(clock.nanoTime() + 5);
        assertThat(first.hasExpired()).isFalse();
    }

    @Test
    void v8_theKeeperLooksNoMoreThanEachMillisecond() {
        keeper.startHeartbeats(new Waiting("server"));
        lookAfter(INTERVAL);
        lookAfter(INTERVAL / 2);
        keeper.lookBy(clock.nanoTime() + INTERVAL / 2 - 1);

        lookAfter(INTERVAL / 2 - 1);

        assertThat(planned()).isEqualTo(clock.nanoTime() + MILLISECOND);
    }

    @Test
    void v8_withoutLeasesAndWaitersTheKeeperDoesNotLook() {
        Lease lease = held("a", "server");
        lease.giveBackInBackground();
        clock.runAll();

        client.timed().forEach(Timer.Entry::cancel);
        lookAfter(SECOND);

        assertThat(keeper.leases()).isEmpty();
        assertThat(client.timed()).isEmpty();
    }

    @Test
    void v8_renewalsThatAreSoonDueTravelTogetherToEachServer() {
        held("a", "server");
        clock.advance(AHEAD / 2);
        held("b", "server");
        held("c", "other");
        clock.advance(AHEAD);
        held("d", "server");

        lookAfter(RENEWED_AFTER - AHEAD - AHEAD / 2);

        assertThat(store.batches).containsExactlyInAnyOrder(2, 1);
    }

    @Test
    void v8_aServerGetsTwoBatchesAtATimeAndTheRestWhenOneEnds() {
        held("a", "server");
        clock.advance(2 * AHEAD);
        held("b", "server");
        clock.advance(2 * AHEAD);
        Lease last = held("c", "server");
        Lease other = held("d", "other");
        clock.advance(RENEWED_AFTER - 5 * AHEAD);
        client.runTimer();
        clock.advance(2 * AHEAD);
        client.runTimer();
        clock.advance(2 * AHEAD);
        client.runTimer();
        assertThat(last.isDue(clock.nanoTime())).isTrue();
        assertThat(other.isDue(clock.nanoTime())).as("its batch is under way").isFalse();

        clock.runAll();
        assertThat(store.batches).as("one after the other").containsExactly(1, 1, 1);
        client.runTimer();
        clock.runAll();

        assertThat(store.batches).containsExactly(1, 1, 1, 1);
        assertThat(last.isDue(clock.nanoTime())).isFalse();
    }

    @Test
    void v8_whileABatchIsPostponedTheKeeperLooksAtTheEndOfTheLease() {
        held("a", "server");
        clock.advance(2 * AHEAD);
        held("b", "server");
        clock.advance(2 * AHEAD);
        Lease last = held("c", "server");
        clock.advance(RENEWED_AFTER - 5 * AHEAD);
        client.runTimer();
        clock.advance(2 * AHEAD);
        client.runTimer();
        clock.advance(last.term.end().nanoTime() - clock.nanoTime() - SECOND / 2);
        client.runTimer();

        assertThat(planned()).isEqualTo(last.term.end().nanoTime());
        clock.advance(SECOND / 2);
        client.runTimer();
        assertThat(last.hasExpired()).isTrue();
        assertThat(keeper.leases()).doesNotContain(last);
    }

    @Test
    void v8_aRenewalWithoutAnAnswerMakesTheLeaseSuspectAndIsRepeatedInASecond() {
        Lease lease = held("a", "server");
        store.renewing = renewal -> clock.advance(5 * MILLISECOND);

        lookAfter(RENEWED_AFTER);

        assertThat(lease.term.isSuspect()).isTrue();
        assertThat(failures).containsExactly("the renewal was not answered after 5");
        assertThat(lease.nextLook()).isEqualTo(clock.nanoTime() + SECOND);
        store.renewing = store::renew;
        lookAfter(SECOND);
        assertThat(lease.term.isSuspect()).isFalse();
        assertThat(store.batches).containsExactly(1, 1);
    }

    @Test
    void v8_aRenewalThatFailsIsRepeatedForTheWholeBatch() {
        List<Lease> leases = List.of(held("a", "server"), held("b", "server"));
        store.renewing = renewal -> {
            throw new IllegalStateException("planted");
        };

        lookAfter(RENEWED_AFTER);

        assertThat(leases).allMatch(lease -> lease.term.isSuspect());
        assertThat(failures).containsExactly("planted after 0", "planted after 0");
        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND);
        store.renewing = store::renew;
        lookAfter(SECOND);
        assertThat(store.batches).containsExactly(2, 2);
    }

    @Test
    void v8_aBriefLeaseLeavesTimeForFurtherRenewals() {
        held("a", "server");
        Duration brief = Duration.ofSeconds(3);
        clock.advance(RENEWED_AFTER - SECOND);
        held("b", "server", Validity.of(clock.now(), brief));

        lookAfter(SECOND);

        assertThat(store.batches).containsExactly(2);
        assertThat(store.timeouts).containsExactly(brief.toNanos() / 6);
    }

    @Test
    void s6_aBrokenConnectionHasTheLeasesOfItsServerRenewedAtOnce() {
        Lease lease = held("a", "server");
        Lease other = held("b", "other");
        Validity sent = Validity.of(clock.now(), LEASE);
        clock.advance(1);

        keeper.connectionLost("server");

        assertThat(planned()).isEqualTo(clock.nanoTime());
        assertThat(lease.isDue(clock.nanoTime())).isTrue();
        assertThat(other.isDue(clock.nanoTime())).isFalse();
        Lease arrived = held("c", "server", sent);
        assertThat(arrived.isDue(clock.nanoTime()))
                .as("its grant was sent before")
                .isTrue();
        assertThat(held("d", "server").isDue(clock.nanoTime())).isFalse();
    }

    @Test
    void v6_heartbeatsComeOncePerIntervalForAllWaitersOfAServer() {
        Waiting waiter = new Waiting("server");
        keeper.startHeartbeats(waiter);
        clock.advance(1);
        keeper.startHeartbeats(new Waiting("server "));
        keeper.startHeartbeats(waiter);
        assertThat(planned()).isEqualTo(clock.nanoTime() - 1 + INTERVAL);

        lookAfter(INTERVAL - 2);
        assertThat(store.heartbeats).isEmpty();
        lookAfter(1);
        assertThat(store.heartbeats).containsExactly(1, 1);
        assertThat(store.timeouts).containsOnly(HoldLincheckTest.SETTINGS.requestTimeout());
        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND);

        lookAfter(SECOND);
        assertThat(planned()).isEqualTo(clock.nanoTime() + INTERVAL - SECOND);
        lookAfter(INTERVAL - SECOND - MILLISECOND);
        assertThat(store.heartbeats).hasSize(2);
        lookAfter(MILLISECOND);
        assertThat(store.heartbeats).hasSize(4);
        keeper.stopHeartbeats(waiter);
        lookAfter(INTERVAL);
        assertThat(store.heartbeats).hasSize(5);
    }

    @Test
    void v6_aServerThatHangsGetsOneHeartbeatAtATime() {
        keeper.startHeartbeats(new Waiting("server"));
        clock.advance(INTERVAL);
        client.runTimer();
        clock.advance(INTERVAL);
        client.runTimer();

        clock.runAll();

        assertThat(store.heartbeats).containsExactly(1);
        lookAfter(INTERVAL);
        assertThat(store.heartbeats).containsExactly(1, 1);
    }

    @Test
    void v6_aHeartbeatThatFailsIsFollowedByTheNext() {
        keeper.startHeartbeats(new Waiting("server"));
        store.heartbeating = () -> {
            throw new IllegalStateException("planted");
        };

        lookAfter(INTERVAL);
        lookAfter(INTERVAL);

        assertThat(store.heartbeats).containsExactly(1, 1);
    }

    @Test
    void v6_aBackendMayChangeTheInterval() {
        keeper.startHeartbeats(new Waiting("server"));
        store.interval = Duration.ofNanos(INTERVAL / 4);
        lookAfter(INTERVAL);
        assertThat(planned()).isEqualTo(clock.nanoTime() + INTERVAL / 4);

        store.interval = Duration.ZERO;
        lookAfter(INTERVAL / 4);

        assertThat(planned()).as("the last interval goes on").isEqualTo(clock.nanoTime() + INTERVAL / 4);
        assertThat(store.heartbeats).hasSize(2);
    }

    @Test
    void v6_aBackendWithoutHeartbeatsGetsNone() {
        store.interval = Duration.ZERO;

        keeper.startHeartbeats(new Waiting("server"));

        assertThat(client.timed()).isEmpty();
    }

    @Test
    void v6_theEarlierOfLeasesAndWaitersDecidesWhenTheKeeperLooks() {
        var lease = held("a", "server");
        store.interval = Duration.ofNanos(SECOND / 2);
        keeper.startHeartbeats(new Waiting("server"));

        lookAfter(SECOND / 2);

        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND / 2);
        assertThat(lease.hasExpired()).isFalse();
        store.interval = Duration.ofNanos(10 * SECOND);
        lookAfter(SECOND / 2);
        lookAfter(SECOND / 2);
        assertThat(planned()).isEqualTo(clock.nanoTime() + SECOND);
    }

    @Test
    void v11_theEndOfALeaseIsNotRenewedAndAUsedLeaseIsHeld() {
        Lease lease = held("a", "server");
        assertThat(keeper.holdsNothing()).isFalse();

        lease.lose(LossReason.GONE);

        assertThat(keeper.holdsNothing()).isTrue();
        lookAfter(RENEWED_AFTER);
        assertThat(store.batches).isEmpty();
    }

    @Test
    void v8_aBatchThatEndsMakesRoomForOneMore() {
        held("a", "server");
        clock.advance(2 * AHEAD);
        held("b", "server");
        clock.advance(2 * AHEAD);
        Lease third = held("c", "server");
        clock.advance(2 * AHEAD);
        Lease fourth = held("d", "server");
        clock.advance(RENEWED_AFTER - 7 * AHEAD);
        for (int i = 0; i < 3; i++) {
            client.runTimer();
            clock.advance(2 * AHEAD);
        }
        assertThat(third.term.isRenewing()).isFalse();

        clock.runOne();
        client.runTimer();

        assertThat(third.term.isRenewing()).isTrue();
        assertThat(fourth.term.isRenewing()).as("in the batch of the third").isTrue();
        Lease fifth = held("e", "server", Validity.of(clock.now(), Duration.ofSeconds(3)));
        clock.advance(2 * SECOND);
        client.runTimer();
        assertThat(fifth.isDue(clock.nanoTime()))
                .as("waits for the end of a batch")
                .isTrue();
    }

    @Test
    void v8_aRenewalThatNoThreadCanSendIsRepeated() {
        Lease lease = held("a", "server");
        clock.advance(RENEWED_AFTER);
        clock.tracking = () -> {
            throw new OutOfMemoryError("planted");
        };
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(client::runTimer).hasMessage("planted");
            assertThat(lease.term.isSuspect()).isTrue();
            clock.advance(SECOND);
        }
        clock.tracking = () -> {};

        lookAfter(0);

        assertThat(store.batches).containsExactly(1);
        assertThat(lease.term.isSuspect()).isFalse();
    }

    @Test
    void v8_aLookThatFailsIsFollowedByAnother() {
        LeaseKeeper failing = new LeaseKeeper(store, HoldLincheckTest.SETTINGS, client.shared, () -> {
            throw new OutOfMemoryError("planted");
        });
        failing.lookBy(clock.nanoTime());
        assertThatThrownBy(client::runTimer).hasMessage("planted");
        assertThat(client.timed()).as("without leases and waiters").isEmpty();

        Lease lease = held("a", "server");
        client.timed().forEach(Timer.Entry::cancel);
        failing.watch(lease);
        clock.advance(SECOND);
        assertThatThrownBy(client::runTimer).hasMessage("planted");
        assertThat(planned()).isEqualTo(clock.nanoTime() + MILLISECOND);

        failing.forget(lease);
        failing.startHeartbeats(new Waiting("server"));
        clock.advance(SECOND);
        assertThatThrownBy(client::runTimer).hasMessage("planted");
        assertThat(planned()).isEqualTo(clock.nanoTime() + MILLISECOND);
    }

    @Test
    void v5_aClosedKeeperSendsNothing() {
        held("a", "server");

        keeper.close();
        lookAfter(RENEWED_AFTER);

        assertThat(store.batches).isEmpty();
    }

    @Test
    void s6_aRenewalThatFindsNothingEndsTheLease() {
        Lease lease = held("a", "server");
        store.renewing = renewal -> {
            renewal.gone();
            renewal.renewed(Validity.of(clock.now(), LEASE));
            renewal.gone();
        };

        lookAfter(RENEWED_AFTER);

        assertThat(lease.hasExpired()).isTrue();
        assertThat(lease.lossReason()).isEqualTo(LossReason.GONE);
    }

    @Test
    void s6_theFirstAnswerToARenewalCounts() {
        Lease lease = held("a", "server");
        store.renewing = renewal -> {
            store.renew(renewal);
            renewal.gone();
            renewal.unknown(new IllegalStateException("planted"));
        };

        lookAfter(RENEWED_AFTER);

        assertThat(lease.hasExpired()).isFalse();
        assertThat(failures).isEmpty();
    }
}
