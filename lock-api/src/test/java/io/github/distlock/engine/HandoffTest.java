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
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a thread that shares a lease does for the waiters that stay. */
class HandoffTest {
    private static final Duration LEASE = Duration.ofSeconds(10);

    private final Journal journal = new Journal();
    private final ThreadlessEngine client = new ThreadlessEngine(new NoStore(), journal);

    /** Waiters for a lease. The time for joins is over once one of them has been removed. */
    private final class SlowLine implements Handoff.Line {
        private final Queue<Handoff.Receiver> waiting = new ArrayDeque<>();
        private int wakes;

        @Override
        public Handoff.Receiver head() {
            return waiting.peek();
        }

        @Override
        public Handoff.Receiver pollFor(Lease lease) {
            client.clock.advance(HoldLincheckTest.SETTINGS.handoffTime());
            return waiting.poll();
        }

        @Override
        public void wakeHead() {
            wakes++;
        }
    }

    private Lease granted() {
        return granted(LockMode.READ, Validity.of(client.clock.now(), LEASE));
    }

    private Lease granted(LockMode mode, Validity validity) {
        LockKey key = new LockKey("lock", mode, LockOptions.defaults().renewedLease(validity.length()));
        LocalQueue queue = client.queues.get(key);
        Waiter first = new Waiter(key, client);
        first.enter();
        QueueEntry entry = queue.claim(first, client.clock.nanoTime()).entry();
        SharedGrant grant = new SharedGrant(journal, List.of(), validity);
        return queue.granted(entry, first, grant, client.clock.nanoTime());
    }

    @Test
    void v2_theNextReaderIsWokenIfTheJoinsOfAGrantEndMidway() {
        Lease lease = granted();
        Handle held = lease.offer();
        SlowLine line = new SlowLine();
        line.waiting.add(offered -> true);
        line.waiting.add(offered -> true);

        Handoff.parts(lease, line);

        assertThat(held).isNotNull();
        assertThat(line.waiting).as("those that could not join").hasSize(1);
        assertThat(line.wakes).isEqualTo(1);
    }

    private void expectHandoffs(Lease lease, boolean may) {
        assertThat(lease.mayBeHandedOff(client.clock.now()))
                .as("may be handed off")
                .isEqualTo(may);
    }

    @Test
    void v3_theTimeForHandoffsCountsFromTheGrant() {
        Lease lease = granted(LockMode.EXCLUSIVE, Validity.of(client.clock.now(), LEASE));
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
        Lease lease = granted(LockMode.EXCLUSIVE, Validity.of(from, Duration.ofMillis(length)));
        var unused = lease.offer();

        expectHandoffs(lease, true);
        client.clock.advance(1);

        expectHandoffs(lease, false);
    }
}
