package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.HoldLincheckTest.Waiter;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a thread that shares a lease does for the waiters that stay. */
class HandoffTest {
    private static final Duration LEASE = Duration.ofSeconds(10);

    private final ThreadlessEngine client = new ThreadlessEngine(new NoStore(), new Journal());

    /** Waiters for a lease. */
    private static final class Waiting implements Handoff.Line {
        private final Queue<Handoff.Receiver> waiting = new ArrayDeque<>();
        private int wakes;
        /** What happens when a waiter is removed. */
        private Runnable polled = () -> {};

        @Override
        public Handoff.Receiver head() {
            return waiting.peek();
        }

        @Override
        public Handoff.Receiver pollFor(Lease lease) {
            polled.run();
            return waiting.poll();
        }

        @Override
        public void wakeHead() {
            wakes++;
        }
    }

    private Lease granted(LockMode mode) {
        return granted(client, "lock", mode, Validity.of(client.clock.now(), LEASE));
    }

    static Lease granted(ThreadlessEngine client, String name, LockMode mode, Validity validity) {
        return granted(client, name, mode, LockOptions.defaults().renewedLease(validity.length()), validity);
    }

    static Lease granted(ThreadlessEngine client, String name, LockMode mode, LockOptions options, Validity validity) {
        LockKey key = new LockKey(name, mode, options);
        LocalQueue queue = client.queues.get(key);
        Waiter first = new Waiter(key, client);
        first.enter();
        QueueEntry entry = queue.claim(first, client.clock.nanoTime()).entry();
        SharedGrant grant = new SharedGrant(new Journal(), List.of(), validity);
        return queue.granted(entry, first, grant);
    }

    private void endHandoffs() {
        client.clock.advance(HoldLincheckTest.SETTINGS.handoffTime());
    }

    @Test
    void v2_theNextReaderIsWokenIfTheJoinsOfAGrantEndMidway() {
        Lease lease = granted(LockMode.READ);
        Handle held = lease.offer();
        Waiting line = new Waiting();
        line.polled = this::endHandoffs;
        line.waiting.add(offered -> true);
        line.waiting.add(offered -> true);

        Handoff.parts(lease, line);

        assertThat(held).isNotNull();
        assertThat(line.waiting).as("those that could not join").hasSize(1);
        assertThat(line.wakes).isEqualTo(1);
    }

    @Test
    void v2_aReaderThatDoesNotJoinLeavesItsPartAndTheNextOneJoins() {
        Lease lease = granted(LockMode.READ);
        var held = lease.offer();
        Waiting line = new Waiting();
        List<Handle> offers = new ArrayList<>();
        line.waiting.add(offered -> !offers.add(offered));
        line.waiting.add(offers::add);

        Handoff.parts(lease, line);

        assertThat(offers).hasSize(2);
        assertThat(lease.holds.stream())
                .containsExactly(held.hold(), offers.get(1).hold());
        assertThat(line.wakes).isZero();
    }

    @Test
    void s1_s3_anOfferThatAWaiterRefusesGoesToTheNextOneWithTheNextToken() {
        Lease lease = granted(LockMode.EXCLUSIVE);
        Waiting line = new Waiting();
        List<Handle> offers = new ArrayList<>();
        line.waiting.add(offered -> !offers.add(offered));
        line.waiting.add(offers::add);
        line.waiting.add(offers::add);

        assertThat(Handoff.all(lease, line, client.clock.now())).isTrue();

        assertThat(offers)
                .extracting(Handle::fencingToken)
                .hasSize(2)
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(lease.holds.stream()).containsExactly(offers.get(1).hold());
        assertThat(line.wakes).as("the next waiter expects a handoff").isZero();
    }

    @Test
    void s1_aLeaseThatNobodyTakesStaysWithoutAHold() {
        Lease lease = granted(LockMode.EXCLUSIVE);
        Waiting line = new Waiting();
        line.waiting.add(offered -> true);
        line.polled = line.waiting::clear;

        assertThat(Handoff.all(lease, line, client.clock.now())).isFalse();

        assertThat(lease.holds.stream()).isEmpty();
    }

    @Test
    void v2_theNextWaiterIsWokenAfterTheLastHandoff() {
        Lease lease = granted(LockMode.EXCLUSIVE);
        Waiting line = new Waiting();
        line.polled = this::endHandoffs;
        line.waiting.add(offered -> true);
        line.waiting.add(offered -> true);

        assertThat(Handoff.all(lease, line, client.clock.now())).isTrue();

        assertThat(line.wakes).isEqualTo(1);
    }

    private void expectHandoffs(Lease lease, boolean may) {
        assertThat(lease.mayBeHandedOff(client.clock.now()))
                .as("may be handed off")
                .isEqualTo(may);
    }

    @Test
    void v3_theTimeForHandoffsCountsFromTheGrant() {
        Lease lease = granted(LockMode.EXCLUSIVE);
        var unused = lease.offer();

        client.clock.advance(HoldLincheckTest.SETTINGS.handoffTime() - 1);
        expectHandoffs(lease, true);
        assertThat(lease.isWorthWaitingFor()).isTrue();
        client.clock.advance(1);

        expectHandoffs(lease, false);
        assertThat(lease.isWorthWaitingFor()).isFalse();
    }

    /** As after a handoff by the server. */
    @ParameterizedTest
    @CsvSource({"10000, 9400, 1000", "600, 544, 300"})
    void v8_aLeaseIsHandedOffOnlyWithHalfOfItOrASecondLeft(long length, long usable, long enough) {
        Moment from = client.clock.now();
        client.clock.advance(Duration.ofMillis(usable - enough).toNanos());
        Lease lease = granted(client, "lock", LockMode.EXCLUSIVE, Validity.of(from, Duration.ofMillis(length)));
        var unused = lease.offer();

        expectHandoffs(lease, true);
        client.clock.advance(1);

        expectHandoffs(lease, false);
    }
}
