package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.HoldLincheckTest.Waiter;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

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
        LockKey key = new LockKey("lock", LockMode.READ, LockOptions.defaults().renewedLease(LEASE));
        LocalQueue queue = client.queues.get(key);
        Waiter first = new Waiter(key, client);
        first.enter();
        QueueEntry entry = queue.claim(first, client.clock.nanoTime()).entry();
        SharedGrant grant = new SharedGrant(journal, List.of(), Validity.of(client.clock.now(), LEASE));
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
}
