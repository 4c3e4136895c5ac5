package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.AcquireOutcome;
import io.github.distlock.LockException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Failed;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How one acquire ends, and what it reports, one step after the other. */
class AcquisitionTest extends OneQueueTest {

    private void fail() {
        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
    }

    /** A grant of which too little is left when it arrives. */
    private Attempt late() {
        Attempt granted = granted();
        client.clock.advance(LEASE.toNanos());
        return granted;
    }

    @Test
    void s1_aHoldThatEndsBeforeItIsAcceptedIsAskedForAgain() {
        store.asking = this::granted;
        Caller head = waiter();
        Caller single = singleTry(new LockKey("other", LockMode.EXCLUSIVE, OPTIONS));
        for (Caller caller : new Caller[] {head, single}) {
            caller.step();
            assertThat(caller.settled).isOne();
            Handle offered = ((Offered) caller.outcome()).handle();
            offered.hold().lease().lose(LossReason.EXPIRED);

            assertThat(caller.accept(offered)).isFalse();

            assertThat(caller.hasOutcome()).isFalse();
            assertThat(client.queues.get(caller.key).everybody()).containsExactly(caller);
            caller.step();
            assertThat(caller.accepted().isHeld()).isTrue();
        }
        assertThat(queue.head()).isNull();
    }

    @Test
    void v4_aTryWhoseGrantIsLostAtOnceDoesNotAskAgain() {
        var head = waiter();
        Caller behind = limited(Duration.ofSeconds(1));
        client.clock.advance(Duration.ofSeconds(1).toNanos());
        behind.step();
        Caller single = singleTry(key);
        store.asking = this::granted;
        behind.waking = () -> store.last().signals.gone();

        single.step();

        assertThat(single.outcome()).isSameAs(Ended.BUSY);
        assertThat(store.spots).hasSize(1);
        assertThat(queue.head()).isSameAs(head);
    }

    @Test
    void v5_aRequestLastsUntilItsAnswerHasBeenUsed() {
        Requests requests = client.acquisitions.requests();
        List<Boolean> answered = new ArrayList<>();
        store.asking = () -> {
            answered.add(requests.areAnswered());
            return granted();
        };

        waiter().step();

        assertThat(answered).containsExactly(false);
        assertThat(requests.areAnswered()).isTrue();
    }

    @Test
    void v4_grantsThatAreOfNoUseForAsLongAsAnOutageEndAnAcquire() {
        store.asking = this::late;
        Caller head = waiter();
        head.step();
        store.asking = () -> Attempt.busy(RETRY);
        client.clock.advance(HoldLincheckTest.SETTINGS.outageTimeout());
        head.step();
        store.asking = this::late;
        client.clock.advance(RETRY.toNanos());
        head.step();
        assertThat(head.hasOutcome()).as("after another answer").isFalse();

        while (!head.hasOutcome() && store.spots.size() < 20) {
            client.clock.advance(Duration.ofSeconds(1).toNanos());
            head.step();
        }

        assertThat(failure(head)).isEqualTo("lock \"lock\": the store granted it too late to be of use");
        assertThat(store.spots).hasSize(5);
    }

    @Test
    void s2_aGrantWithLessThanTheMinimumValidityEndsATry() {
        LockOptions options = OPTIONS.minimumValidity(LEASE.dividedBy(2));
        store.asking = () -> Attempt.granted(
                new SharedGrant(new Journal(), List.of(), Validity.of(client.clock.now(), LEASE.dividedBy(2))));
        Caller single = singleTry(new LockKey("lock", LockMode.EXCLUSIVE, options));

        single.step();

        assertThat(failure(single)).endsWith("too late to be of use, with less than its minimum validity of PT5S");
    }

    @Test
    void v3_waitingReadersJoinTheGrantOfTheFirst() {
        LockKey reading = new LockKey("rw", LockMode.READ, OPTIONS);
        store.asking = this::granted;
        Caller first = waiter(reading);
        Caller second = waiter(reading);

        first.step();

        assertThat(first.accepted().fencingToken()).isEqualTo(second.accepted().fencingToken());
        assertThat(store.spots).hasSize(1);
        assertThat(second.settled).isOne();
        Caller late = waiter(reading);
        late.step();
        assertThat(late.accepted().isHeld()).isTrue();
        assertThat(store.spots).hasSize(1);
        assertThat(events).filteredOn(event -> event.endsWith("JOINED")).hasSize(2);
    }

    @Test
    void v11_aReacquireIsReported() {
        LockKey sticky = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS.sticky());
        store.asking = this::stickyGranted;
        Caller first = waiter(sticky);
        first.step();
        Lease lease = first.accepted().hold().lease();
        assertThat(events).noneMatch(event -> event.endsWith("REACQUIRED"));
        lease.holds.stream().toList().forEach(Hold::release);

        Caller second = waiter(sticky);
        second.step();

        assertThat(second.accepted().hold().lease()).isSameAs(lease);
        assertThat(events).filteredOn(event -> event.endsWith("REACQUIRED")).hasSize(1);
    }

    @Test
    void v7_whatKeptAnAcquireFromTheLockIsKnownIfTheLockIsBusy() {
        Caller knowsNothing = waiter();
        knowsNothing.settle(Ended.INTERRUPTED);
        Caller interrupted = waiter();
        interrupted.step();
        interrupted.settle(Ended.INTERRUPTED);
        Caller withdrawn = waiter();
        withdrawn.step();
        withdrawn.settle(Ended.WITHDRAWN);
        Caller single = singleTry(key);
        single.step();

        assertThat(Stream.of(knowsNothing, interrupted, withdrawn, single).map(Acquisition::blocker))
                .containsExactly("", "somebody", "", "");
    }

    @Test
    void v7_theEndOfAnAcquireIsReportedWithItsTimeAndWhatKeptItFromTheLock() {
        client.clock.advance(Duration.ofSeconds(1).toNanos());
        Caller head = limited(Duration.ofSeconds(2));
        head.noteWaiting();
        head.step();
        client.clock.advance(Duration.ofSeconds(2).toNanos());
        head.step();
        head.noteNotAcquired(head.forApplication());
        Caller single = singleTry(key);
        single.step();
        single.noteNotAcquired(single.forApplication());
        Caller interrupted = waiter();
        interrupted.noteNotAcquired(AcquireOutcome.INTERRUPTED);

        assertThat(events)
                .containsExactly(
                        "waiting 0 after 0",
                        "timedOut 0 after 2000 somebody",
                        "notAcquired 0 after 2000 BUSY",
                        "notAcquired 0 after 0 BUSY",
                        "notAcquired 0 after 0 INTERRUPTED");
    }

    @Test
    void v7_anAcquireIsReportedWithItsTokenAndTheTimeThatItTook() {
        client.clock.advance(Duration.ofSeconds(1).toNanos());
        store.asking = this::granted;
        Caller head = waiter();
        client.clock.advance(Duration.ofMillis(5).toNanos());
        head.step();

        Handle held = head.accepted();

        assertThat(events).containsExactly("acquired " + held.fencingToken() + " after 5");
    }

    @Test
    void v7_anAcquireWithoutAThreadIsReportedAsAsynchronous() {
        var threadless = new LocalQueueLincheckTest.Waiter(key, client, false);

        threadless.noteWaiting();

        assertThat(threadless.isWaiting()).isFalse();
        assertThat(events).containsExactly("waiting 0 after 0 asynchronous");
    }

    @Test
    void s1_anAcquireHasOneOutcome() {
        Handle held = holder(key);
        Caller next = waiter();
        assertThat(next.forApplication()).isEqualTo(AcquireOutcome.UNAVAILABLE);
        assertThat(next.settle(Ended.CLOSED)).isTrue();

        assertThat(next.settle(Ended.BUSY)).isFalse();
        assertThat(next.settleHandedOff(held)).isFalse();

        assertThat(next.settled).isOne();
        assertThat(next.outcome()).isSameAs(Ended.CLOSED);
        assertThat(next.forApplication()).isEqualTo(AcquireOutcome.CANCELLED);
        assertThat(next.step()).isEqualTo(now() + LocalQueue.LONGEST_SLEEP);
    }

    @Test
    void v4_aCallerHearsWhyItsAcquireFailed() {
        Caller waits = waiter();
        assertThat(Stream.of(Ended.CLOSED, Ended.CHECKPOINT, Ended.WITHDRAWN).map(waits::failureOf))
                .extracting(Throwable::getMessage)
                .containsExactly(
                        "lock \"lock\": the client was closed",
                        "lock \"lock\": the process is being checkpointed",
                        "lock \"lock\": the acquire was given up");
        Error error = new StackOverflowError("planted");
        assertThat(waits.failureOf(new Failed(error))).isSameAs(error);

        waits.fail(error);
        assertThat(((Failed) waits.outcome()).failure()).isSameAs(error);
        Caller broken = waiter();
        broken.fail(new IllegalStateException());
        assertThat(((Failed) broken.outcome()).failure())
                .isInstanceOf(LockException.class)
                .hasMessage("lock \"lock\": java.lang.IllegalStateException")
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void v4_anErrorOfTheBackendEndsTheAcquire() {
        Error error = new StackOverflowError("planted");
        store.asking = () -> {
            throw error;
        };
        Caller head = waiter();

        head.step();

        assertThat(((Failed) head.outcome()).failure()).isSameAs(error);
    }

    @Test
    void v4_anAcquireThatRunsOutOfTimeHearsOfTheLastFailureOfTheQueue() {
        client.clock.advance(Duration.ofSeconds(1).toNanos());
        fail();
        Caller head = waiter();
        Caller behind = limited(Duration.ofSeconds(2));
        head.step();
        store.asking = () -> {
            throw new IllegalStateException();
        };
        Caller own = new Caller(
                new LockKey("own", LockMode.EXCLUSIVE, OPTIONS),
                Patience.limited(Duration.ofSeconds(2), HoldLincheckTest.SETTINGS, client.clock));
        own.step();
        client.clock.advance(Duration.ofSeconds(3).toNanos());

        behind.step();
        own.step();

        assertThat(failure(behind)).isEqualTo("lock \"lock\": not acquired within 3000 ms: planted");
        assertThat(failure(own))
                .isEqualTo("lock \"own\": not acquired within 3000 ms: java.lang.IllegalStateException");
    }

    @Test
    void v7_aThreadThatWaitsForItsOwnHoldIsFound() {
        LockKey reading = new LockKey("rw", LockMode.READ, OPTIONS);
        LockKey writing = new LockKey("rw", LockMode.WRITE, OPTIONS);
        LockKey permits = new LockKey("sem", LockMode.permits(1, 3), OPTIONS);
        assertThat(waiter(reading).isHeldByItsThread()).isFalse();
        Handle written = holder(writing);
        var unused = holder(permits);

        assertThat(waiter(writing).isHeldByItsThread()).isTrue();
        assertThat(waiter(reading).isHeldByItsThread())
                .as("behind its own write hold")
                .isTrue();
        assertThat(waiter(permits).isHeldByItsThread()).isFalse();
        written.release();
        assertThat(waiter(key).isHeldByItsThread()).isFalse();
    }

    /** Ends an acquire while it looks for a lease of its client. */
    private void endsWhileItLooks(Caller caller) {
        looking = () -> {
            looking = () -> {};
            caller.settle(Ended.WITHDRAWN);
        };
    }

    @Test
    void s5_aReaderThatHasEndedLeavesThePartThatItJoined() {
        LockKey reading = new LockKey("rw", LockMode.READ, OPTIONS);
        store.asking = this::stickyGranted;
        Caller first = waiter(reading);
        first.step();
        Handle held = first.accepted();
        Caller late = waiter(reading);
        endsWhileItLooks(late);

        late.step();

        assertThat(held.hold().lease().holds.stream()).containsExactly(held.hold());
        assertThat(events).noneMatch(event -> event.endsWith("JOINED"));
    }

    @Test
    void v11_anAcquireThatHasEndedLeavesADormantLease() {
        LockKey sticky = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS.sticky());
        store.asking = this::stickyGranted;
        Caller first = waiter(sticky);
        first.step();
        Lease lease = first.accepted().hold().lease();
        lease.holds.stream().toList().forEach(Hold::release);
        Caller late = waiter(sticky);
        endsWhileItLooks(late);

        late.step();

        assertThat(events).noneMatch(event -> event.endsWith("REACQUIRED"));
        assertThat(lease.holds.stream()).isEmpty();
        client.clock.runAll();
        assertThat(lease.hasExpired()).as("goes back").isTrue();
    }

    @Test
    void s5_aGrantThatCannotBeOfferedGoesBack() {
        LockKey sticky = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS.sticky());
        store.asking = this::stickyGranted;
        store.interval = () -> {
            throw new IllegalStateException("planted");
        };
        Caller head = waiter(sticky);

        assertThatThrownBy(head::advance).hasMessage("planted");

        client.clock.runAll();
        assertThat(client.keeper.leases()).isEmpty();
        assertThat(store.last().forgotten).isOne();
    }
}
