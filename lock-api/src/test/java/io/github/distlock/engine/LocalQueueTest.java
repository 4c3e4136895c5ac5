package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The acquires of one queue, one step after the other, over a store that answers as the test says. */
class LocalQueueTest extends OneQueueTest {

    @Test
    void v2_onlyTheHeadAsksAndTheOthersSleep() {
        Caller first = waiter();
        Caller second = waiter();

        assertThat(second.step()).isEqualTo(now() + LocalQueue.LONGEST_SLEEP);
        assertThat(store.spots).isEmpty();
        assertThat(first.step()).isEqualTo(now() + RETRY.toNanos());
        assertThat(store.last().attempts).isOne();
        assertThat(queue.isBehindOthers(first)).isFalse();
        assertThat(queue.isBehindOthers(second)).isTrue();
    }

    @Test
    void v2_theHeadAsksAgainWhenTheStoreSaidSoOrSignals() {
        Caller head = waiter();
        head.step();
        assertThat(head.wakes).as("wakes by an answer that nobody lingers for").isZero();

        client.clock.advance(RETRY.toNanos() - 1);
        head.step();
        assertThat(store.last().attempts).isOne();
        client.clock.advance(1);
        head.step();
        assertThat(store.last().attempts).isEqualTo(2);
        store.last().signals.wakeUp();
        assertThat(head.wakes).isOne();
        head.step();
        assertThat(store.last().attempts).isEqualTo(3);
        head.step();
        assertThat(store.last().attempts).as("after one signal").isEqualTo(3);
        assertThat(store.spots).hasSize(1);
    }

    @Test
    void v2_theNextOneTakesOverTheQueueEntryOfAHeadThatLeaves() {
        Caller first = waiter();
        Caller second = waiter();
        first.step();

        first.settle(Ended.INTERRUPTED);

        assertThat(second.wakes).isOne();
        store.last().signals.wakeUp();
        assertThat(second.wakes).isEqualTo(2);
        second.step();
        assertThat(store.spots).hasSize(1);
        assertThat(store.last().attempts).isEqualTo(2);
        assertThat(store.last().withdrawals).isZero();
        assertThat(client.queues.get(key)).isSameAs(queue);
        second.settle(Ended.INTERRUPTED);
        client.clock.runAll();
        assertThat(store.last().withdrawals).isOne();
        expectUnused();
    }

    @Test
    void v2_aWaiterThatLeavesBehindTheHeadWakesNobody() {
        Caller first = waiter();
        Caller second = waiter();
        first.step();

        second.settle(Ended.INTERRUPTED);

        assertThat(first.wakes).isZero();
        assertThat(queue.head()).isSameAs(first);
        first.settle(Ended.INTERRUPTED);
        expectUnused();
    }

    @Test
    void v2_aFairWaiterAsksWithAnEntryOfItsOwnWhoeverWaitsBeforeIt() {
        LockKey fair = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS.fair());
        Caller first = waiter(fair);
        Caller second = waiter(fair);

        first.step();
        second.step();

        assertThat(store.spots).hasSize(2);
        store.last().signals.wakeUp();
        assertThat(first.wakes).isZero();
        assertThat(second.wakes).isOne();
        second.settle(Ended.INTERRUPTED);
        client.clock.runAll();
        assertThat(store.spots).extracting(spot -> spot.withdrawals).containsExactly(0, 1);
        assertThat(store.spots).extracting(spot -> spot.forgotten).containsExactly(0, 1);
    }

    @Test
    void s5_aSingleTryLeavesNothingAtTheStoreAfterItsAnswer() {
        Caller single = singleTry(key);

        single.step();

        assertThat(single.outcome()).isSameAs(Ended.BUSY);
        assertThat(store.last().request.waits()).isFalse();
        assertThat(store.last().withdrawals).isZero();
        expectUnused();
    }

    @Test
    void v7_aSingleTryWhileThisClientHoldsTheLockIsBusyWithoutARequest() {
        Handle held = holder(key);
        int before = store.spots.size();

        Caller single = singleTry(key);
        single.step();

        assertThat(single.outcome()).isSameAs(Ended.BUSY);
        assertThat(store.spots).hasSize(before);
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        expectUnused();
    }

    @Test
    void s5_aTryWhoseAnswerIsUnknownIsWithdrawn() {
        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
        Caller single = singleTry(key);

        single.step();

        assertThat(failure(single)).contains("planted");
        client.clock.runAll();
        assertThat(store.last().withdrawals).isOne();
        expectUnused();
    }

    @Test
    void v4_aWaiterAsksAgainAfterAFailureAndGivesUpInAnOutage() {
        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
        Caller head = waiter();

        long again = head.step();

        assertThat(again - now())
                .isBetween(Duration.ofMillis(5).toNanos(), Duration.ofMillis(10).toNanos());
        client.clock.advance(Duration.ofMillis(10).toNanos());
        head.step();
        assertThat(store.last().attempts).isEqualTo(2);
        assertThat(queue.lastFailure())
                .hasValueSatisfying(cause -> assertThat(cause).hasMessage("planted"));
        client.clock.advance(HoldLincheckTest.SETTINGS.outageTimeout());
        head.step();
        assertThat(failure(head)).contains("planted");
        assertThat(store.last().attempts).isEqualTo(2);
        expectUnused();
    }

    @Test
    void v4_pausesAfterFailuresGrow() {
        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
        Caller head = waiter();

        long pause = 0;
        for (int failures = 1; failures <= 7; failures++) {
            pause = head.step() - now();
            client.clock.advance(pause);
        }

        assertThat(pause).isGreaterThanOrEqualTo(Duration.ofMillis(320).toNanos());
        assertThat(store.last().attempts).isEqualTo(7);
    }

    @Test
    void v4_anAcquireWhoseLastRequestIsInterruptedAsksNoMore() {
        store.asking = () -> {
            client.clock.advance(Duration.ofSeconds(1).toNanos());
            throw new InterruptedException("planted");
        };
        Caller head = limited(Duration.ofSeconds(1));
        assertThatThrownBy(head::advance).isInstanceOf(InterruptedException.class);

        head.step();
        client.clock.advance(Duration.ofMillis(20).toNanos());
        head.step();

        assertThat(store.last().attempts).isOne();
    }

    @Test
    void v4_anAnswerEndsAnOutage() {
        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
        Caller head = waiter();
        head.step();
        store.asking = () -> Attempt.busy(RETRY);
        client.clock.advance(HoldLincheckTest.SETTINGS.outageTimeout() - 1);
        head.step();
        assertThat(queue.lastFailure()).isEmpty();
        assertThat(queue.knowsBusySince(now() + 1)).as("the entry is busy").isTrue();

        store.asking = () -> {
            throw new IllegalStateException("planted");
        };
        client.clock.advance(RETRY.toNanos());
        head.step();
        assertThat(queue.knowsBusySince(now())).as("after a failure").isFalse();
        client.clock.advance(HoldLincheckTest.SETTINGS.outageTimeout() - 1);
        head.step();
        assertThat(head.hasOutcome()).isFalse();

        client.clock.advance(Duration.ofSeconds(1).toNanos());
        head.step();
        assertThat(failure(head)).contains("planted");
    }

    @Test
    void api_aRefusalEndsTheAcquireAndItsEntryAndTheNextOneAsksWithAnother() {
        store.asking = () -> {
            throw new RequestRefusedException("planted", null);
        };
        Caller first = waiter();
        Caller second = waiter();

        first.step();

        assertThat(failure(first)).contains("planted");
        assertThat(second.wakes).isPositive();
        client.clock.runAll();
        assertThat(store.last().forgotten).isOne();
        assertThat(store.last().withdrawals)
                .as("withdrawals of what was refused")
                .isZero();
        store.asking = () -> Attempt.busy(RETRY);
        second.step();
        assertThat(store.spots).hasSize(2);
    }

    @Test
    void v4_anInterruptDuringARequestReachesTheCaller() {
        store.asking = () -> {
            throw new InterruptedException("planted");
        };
        Caller head = waiter();

        assertThatThrownBy(head::advance).isInstanceOf(InterruptedException.class);

        assertThat(head.hasOutcome()).isFalse();
        head.settle(Ended.INTERRUPTED);
        client.clock.runAll();
        assertThat(store.last().withdrawals).isOne();
        expectUnused();
    }

    @Test
    void s5_anAnswerThatComesAfterTheLastWaiterHasLeftIsWithdrawn() {
        Caller head = waiter();
        List<Integer> withdrawals = new ArrayList<>();
        store.asking = () -> {
            head.settle(Ended.INTERRUPTED);
            client.clock.runAll();
            withdrawals.add(store.last().withdrawals);
            return Attempt.busy(RETRY);
        };

        head.step();

        assertThat(withdrawals).as("withdrawals during the request").containsExactly(0);
        client.clock.runAll();
        assertThat(store.last().withdrawals).isOne();
        expectUnused();
    }

    @Test
    void v2_anAnswerThatComesAfterItsAskerHasLeftWakesTheNextWaiter() {
        Caller first = waiter();
        Caller second = waiter();
        List<Long> looks = new ArrayList<>();
        store.asking = () -> {
            first.settle(Ended.INTERRUPTED);
            looks.add(second.step());
            return Attempt.busy(RETRY);
        };

        first.step();

        assertThat(looks).containsExactly(now() + LocalQueue.LONGEST_SLEEP);
        assertThat(store.last().attempts).as("requests at a time").isOne();
        assertThat(second.wakes).isOne();
        client.clock.runAll();
        assertThat(store.last().withdrawals).isZero();
        store.asking = this::granted;
        client.clock.advance(RETRY.toNanos());
        second.step();
        assertThat(second.accepted().release()).isEqualTo(Release.RELEASED);
        expectUnused();
    }

    @Test
    void s1_aGrantThatComesAfterItsAskerHasLeftGoesToTheNextWaiter() {
        Caller first = waiter();
        Caller second = waiter();
        store.asking = () -> {
            first.settle(Ended.INTERRUPTED);
            return granted();
        };

        first.step();

        assertThat(second.accepted().isHeld()).isTrue();
    }

    @Test
    void v4_theTimeOfAWaiterEndsWithBusyIfTheStoreHasSaidSo() {
        Caller head = limited(Duration.ofSeconds(1));
        assertThat(head.step()).isEqualTo(now() + RETRY.toNanos());

        client.clock.advance(Duration.ofSeconds(1).toNanos());
        head.step();

        assertThat(head.outcome()).isSameAs(Ended.BUSY);
        assertThat(head.blocker()).isEqualTo("somebody");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void v4_aWaiterThatKnowsNothingLingersForTheNextAnswer(boolean isGranted) {
        store.asking = isGranted ? this::granted : store.asking;
        Caller head = waiter();
        Caller between = waiter();
        Caller behind = limited(Duration.ofSeconds(1));
        behind.step();
        client.clock.advance(Duration.ofSeconds(1).toNanos());

        assertThat(behind.step()).isEqualTo(now() + Settings.LAST_REQUEST_GRACE);
        assertThat(behind.hasOutcome()).isFalse();
        head.step();

        assertThat(behind.wakes).isOne();
        behind.step();
        assertThat(behind.outcome()).isSameAs(Ended.BUSY);
        assertThat(between.hasOutcome()).isFalse();
    }

    @Test
    void v4_aWaiterWithoutAnyAnswerIsNotToldThatTheLockIsBusy() {
        var head = waiter();
        Caller behind = limited(Duration.ofSeconds(1));
        client.clock.advance(Duration.ofSeconds(1).toNanos() + Settings.LAST_REQUEST_GRACE);

        behind.step();

        assertThat(failure(behind)).contains("the store has not answered within 1100 ms");
        assertThat(queue.head()).isSameAs(head);
    }

    @Test
    void v7_theBlockerIsDescribedForPeople() {
        Caller head = waiter();
        assertThat(queue.blocker(head)).isEqualTo("another caller of this client holds it");
        head.step();
        Spot spot = store.last();

        assertThat(queue.blocker(head)).isEqualTo("somebody");
        spot.blocker = Optional.empty();
        assertThat(queue.blocker(head)).isEqualTo("another client holds it");
        spot.blocker = null;
        assertThat(queue.blocker(head)).startsWith("another client holds it, which cannot be described");
        store.asking = this::granted;
        client.clock.advance(RETRY.toNanos());
        head.step();
        assertThat(queue.blocker(waiter())).isEqualTo("another caller of this client holds it");
    }

    @Test
    void v2_theWaiterBehindAHolderIsServedByItsReleaseWithoutARequest() {
        Handle held = holder(key);
        Caller next = waiter();
        assertThat(queue.isHeldBy(17)).isTrue();
        assertThat(queue.isHeldBy(18)).isFalse();
        assertThat(queue.holds()).containsExactly(held.hold());
        assertThat(next.step()).isEqualTo(now() + LocalQueue.LONGEST_SLEEP);
        assertThat(store.spots).hasSize(1);

        assertThat(held.release()).isEqualTo(Release.RELEASED);

        assertThat(next.outcome()).isInstanceOf(Offered.class);
        assertThat(events).filteredOn(event -> event.endsWith("LOCAL")).hasSize(1);
        assertThat(store.last().attempts).isOne();
        assertThat(queue.head()).isNull();
        assertThat(next.accepted().release()).isEqualTo(Release.RELEASED);
        expectUnused();
    }

    @Test
    void v2_theHeadAsksWhenTheTimeForHandoffsIsOver() {
        Handle held = holder(key);
        Caller next = waiter();
        next.step();

        client.clock.advance(HoldLincheckTest.SETTINGS.handoffTime());
        next.step();

        assertThat(store.spots).hasSize(2);
        held.release();
        assertThat(next.wakes).isPositive();
        assertThat(next.hasOutcome()).isFalse();
    }

    @Test
    void v2_theHeadIsWokenWhenALeaseIsLostOrInDoubt() {
        Handle held = holder(key);
        Spot holding = store.last();
        Caller next = waiter();
        next.step();

        holding.signals.suspect();

        assertThat(next.wakes).isOne();
        next.step();
        assertThat(store.spots).hasSize(2);
        holding.signals.gone();
        assertThat(next.wakes).isOne();
        assertThat(held.isHeld()).isFalse();
        assertThat(queue.everybody()).containsExactly(next);
    }

    @Test
    void s5_theQueueEntryOfAWaiterThatIsServedLocallyIsWithdrawnUnlessAnotherOneWaits() {
        Handle held = holder(key);
        Lease lease = held.hold().lease();
        Spot holding = store.last();
        Caller next = waiter();
        Caller last = waiter();
        holding.signals.suspect();
        next.step();
        lease.renewed(Validity.of(client.clock.now(), LEASE), 0);

        held.release();

        assertThat(next.outcome()).isInstanceOf(Offered.class);
        client.clock.runAll();
        Spot entry = store.last();
        assertThat(entry).isNotSameAs(holding);
        assertThat(entry.withdrawals).as("withdrawals while another one waits").isZero();
        next.accepted().release();
        client.clock.runAll();
        assertThat(entry.withdrawals).isOne();
        assertThat(last.accepted().release()).isEqualTo(Release.RELEASED);
        expectUnused();
    }

    @Test
    void s6_signalsThatCameBeforeTheGrantTakeEffectWithIt() {
        store.asking = () -> {
            store.last().signals.suspect();
            store.last().signals.wanted();
            return granted();
        };
        Caller suspected = waiter();
        suspected.step();
        Handle held = suspected.accepted();

        assertThat(held.hold().lease().term.isSuspect()).isTrue();
        assertThat(held.hold().lease().hints.isWanted()).isTrue();
        held.release();
        store.asking = () -> {
            store.last().signals.gone();
            return granted();
        };
        Caller lost = waiter();
        lost.step();
        assertThat(lost.hasOutcome()).isFalse();
    }

    @Test
    void s6_signalsBeforeARequestSayNothingOfItsGrant() {
        Caller head = waiter();
        head.step();
        store.last().signals.suspect();
        store.last().signals.gone();
        store.asking = this::granted;

        client.clock.advance(RETRY.toNanos());
        head.step();

        Handle held = head.accepted();
        assertThat(held.isHeld()).isTrue();
        assertThat(held.hold().lease().term.isSuspect()).isFalse();
        assertThat(held.hold().lease().hints.isWanted()).isFalse();
        store.last().signals.wanted();
        assertThat(held.hold().lease().hints.isWanted()).isTrue();
    }

    @Test
    void s1_aGrantThatExpiredOnItsWayIsNotUsedAndTheWaiterAsksAgainLater() {
        store.asking = () -> {
            Attempt late = granted();
            client.clock.advance(LEASE.toNanos());
            return late;
        };
        Caller head = waiter();

        long again = head.step();

        assertThat(head.hasOutcome()).isFalse();
        assertThat(again - now())
                .isBetween(
                        Duration.ofMillis(320).toNanos(), Duration.ofMillis(640).toNanos());
        Caller single = singleTry(key);
        client.clock.advance(Duration.ofSeconds(1).toNanos());
        single.step();
        assertThat(failure(single)).contains("too late to be of use");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void s5_theRequestHasWhatTheStoreNeeds(boolean once) {
        LockOptions options = OPTIONS.minimumHold(Duration.ofSeconds(3));
        LockKey of = new LockKey("kept", LockMode.EXCLUSIVE, options);

        (once ? singleTry(of) : waiter(of)).step();

        LockRequest request = store.last().request;
        assertThat(request.name()).isEqualTo("kept");
        assertThat(request.lease()).isEqualTo(LEASE);
        assertThat(request.mode()).isEqualTo(LockMode.EXCLUSIVE);
        assertThat(request.minimumHold()).isEqualTo(Duration.ofSeconds(3));
        assertThat(request.isSticky()).isFalse();
        assertThat(request.owner().thread()).isEqualTo("caller");
        assertThat(request.waits()).isEqualTo(!once);
    }

    @Test
    void v2_waitersForPermitsAskWhateverThisClientHolds() {
        LockKey permits = new LockKey("sem", LockMode.permits(1, 3), OPTIONS);
        Handle held = holder(permits);
        LocalQueue ofPermits = client.queues.get(permits);

        Caller next = waiter(permits);
        next.step();

        assertThat(store.spots).hasSize(2);
        assertThat(ofPermits.isBehindOthers(next)).isFalse();
        Caller third = waiter(permits);
        assertThat(ofPermits.isBehindOthers(third)).isTrue();
        Caller single = singleTry(permits);
        single.step();
        assertThat(store.spots).hasSize(3);
        held.release();
        assertThat(next.outcome()).isInstanceOf(Offered.class);
    }

    @Test
    void v3_onlyAWaitingWriterStopsJoins() {
        LockKey writing = new LockKey("rw", LockMode.WRITE, OPTIONS);
        LockKey reading = new LockKey("rw", LockMode.READ, OPTIONS);
        Handle read = holder(reading);
        Caller joins = waiter(reading);
        joins.step();
        assertThat(joins.outcome()).isInstanceOf(Offered.class);
        assertThat(queue.stopsJoins()).isFalse();

        Caller writer = waiter(writing);
        assertThat(client.queues.get(writing).stopsJoins()).isTrue();
        Caller late = waiter(reading);
        late.step();
        assertThat(late.hasOutcome()).isFalse();

        writer.settle(Ended.INTERRUPTED);
        assertThat(client.queues.get(writing).stopsJoins()).isFalse();
        assertThat(client.queues.get(reading).stopsJoins()).isFalse();
        assertThat(read.isHeld()).isTrue();
    }

    @Test
    void v6_heartbeatsKeepAQueueEntryFromItsBusyAnswerToItsEnd() {
        Caller head = waiter();
        assertThat(kept()).isEmpty();

        head.step();

        assertThat(kept()).singleElement().isSameAs(store.last());
        singleTry(key).step();
        assertThat(kept()).as("of those that wait").hasSize(1);
        head.settle(Ended.INTERRUPTED);
        assertThat(kept()).isEmpty();
        Caller granted = waiter();
        granted.step();
        assertThat(kept()).hasSize(1);
        store.asking = this::granted;
        client.clock.advance(RETRY.toNanos());
        granted.step();
        assertThat(kept()).isEmpty();
    }

    @Test
    void v11_v6_heartbeatsKeepAStickyHoldUntilItsEnd() {
        LockKey sticky = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS.sticky());
        store.asking = this::stickyGranted;
        Caller first = waiter(sticky);
        first.step();
        Lease lease = first.accepted().hold().lease();
        assertThat(kept()).singleElement().isSameAs(store.last());

        lease.lose(LossReason.GONE);

        assertThat(kept()).isEmpty();
    }

    @Test
    void s9_onlyAQueueThatIsUsedAdoptsTheLeaseOfADowngrade() {
        Lease lease =
                holder(new LockKey("lock", LockMode.WRITE, OPTIONS)).hold().lease();
        assertThat(queue.adopt(lease)).isTrue();
        assertThat(queue.holds()).containsExactlyElementsOf(lease.holds.stream().toList());
        queue.ended(lease);

        assertThat(queue.adopt(lease)).isFalse();

        assertThat(queue.holds()).isEmpty();
    }

    @Test
    void v5_aClosingClientEndsEachAcquire() {
        Caller waits = waiter();
        Caller behind = waiter();
        Caller tries = singleTry(key);

        assertThat(queue.everybody()).containsExactlyInAnyOrder(waits, behind, tries);
        client.queues.endAll(Ended.CLOSED);

        assertThat(List.of(waits, behind, tries)).allMatch(each -> each.outcome() == Ended.CLOSED);
        assertThat(store.spots).isEmpty();
        assertThat(client.isUnused()).isTrue();
    }

    @Test
    void v2_anAcquireThatFindsItsQueueRetiredEntersAnother() {
        waiter().settle(Ended.INTERRUPTED);

        assertThat(client.queues.get(key)).isNotSameAs(queue);
        Caller late = waiter();
        assertThat(queue.enter(late)).isFalse();
        assertThat(queue.head()).isNull();
        assertThat(client.queues.get(key).head()).isSameAs(late);
    }
}
