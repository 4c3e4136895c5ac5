package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One hold from its offer to its end, one step after the other. */
class HoldTest extends OneQueueTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final LockOptions DELAYED = OPTIONS.lockDelay(Duration.ofSeconds(5));

    private Scripted grant = new Scripted();

    HoldTest() {
        client.clock.advance(Duration.ofHours(1).toNanos());
    }

    /** A grant that may leave releases without an answer. */
    private final class Scripted extends SharedGrant {
        private boolean answers = true;
        private Duration keptFor = Duration.ZERO;

        Scripted() {
            super(new Journal(), List.of(), Validity.of(client.clock.now(), LEASE));
        }

        @Override
        public Grant.Release release(Deadline deadline) {
            if (!answers) {
                throw new IllegalStateException("planted");
            }
            return super.release(deadline);
        }

        @Override
        public Grant.Release keep(Duration time, Deadline deadline) {
            keptFor = time;
            return release(deadline);
        }
    }

    private Hold held() {
        return held(OPTIONS);
    }

    private Hold held(LockOptions options) {
        store.asking = () -> {
            grant = new Scripted();
            return Attempt.granted(grant);
        };
        Caller first = waiter(new LockKey("lock", LockMode.EXCLUSIVE, options));
        first.step();
        store.asking = () -> Attempt.busy(RETRY);
        handle = first.accepted();
        events.clear();
        return handle.hold();
    }

    /** Keeps the handle from the collector. */
    private Handle handle;

    private Hold offered() {
        store.asking = this::granted;
        Caller first = waiter();
        first.step();
        handle = ((Offered) first.outcome()).handle();
        return handle.hold();
    }

    private Moment nowMoment() {
        return client.clock.now();
    }

    @Test
    void api_aHoldKnowsWhoHasAcquiredItAndWhen() {
        Hold plain = held();
        assertThat(plain.threadId()).isEqualTo(17);
        assertThat(plain.ownerId()).isEqualTo(17);
        assertThat(plain.threadName()).isEqualTo("caller");
        assertThat(plain.acquireStack()).isNull();
        assertThat(plain.since()).isEqualTo(now());
        assertThat(plain.options()).isSameAs(OPTIONS);
        assertThat(plain.mode()).isEqualTo(LockMode.EXCLUSIVE);
        assertThat(plain.lockName()).isEqualTo("lock");
        assertThat(plain.heldNanos(now() + 5)).isEqualTo(5);
        plain.release();

        Hold recorded = offered();
        assertThat(recorded.accept(5, "five", true)).isTrue();
        assertThat(recorded.acquireStack()).hasMessage("acquired here");
        assertThat(recorded.isOf(5)).isTrue();
        assertThat(recorded.isOf(17)).isFalse();
        recorded.detach();
        assertThat(recorded.isOf(5))
                .as("after its work goes on without its thread")
                .isFalse();
        assertThat(recorded.ownerId()).isEqualTo(Acquisition.NO_THREAD);
        assertThat(recorded.threadId()).isEqualTo(5);
    }

    @Test
    void s2_anOfferWithLessThanTheMinimumValidityIsDeclined() {
        LockOptions options = OPTIONS.minimumValidity(Duration.ofSeconds(5));
        store.asking = this::granted;
        Caller first = waiter(new LockKey("lock", LockMode.EXCLUSIVE, options));
        first.step();
        Hold hold = ((Offered) first.outcome()).handle().hold();
        client.clock.advance(
                hold.remainingNanos(nowMoment()) - Duration.ofSeconds(5).toNanos() + 1);

        assertThat(hold.accept(1, "one", false)).isFalse();

        client.clock.runAll();
        assertThat(hold.lease().hasExpired()).isTrue();
        Hold enough = held(options);
        assertThat(enough.isHeld()).isTrue();
    }

    @Test
    void s2_anOfferWithTheMinimumValidityIsAccepted() {
        LockOptions options = OPTIONS.minimumValidity(Duration.ofSeconds(5));
        store.asking = this::granted;
        Caller first = waiter(new LockKey("lock", LockMode.EXCLUSIVE, options));
        first.step();
        Hold hold = ((Offered) first.outcome()).handle().hold();
        client.clock.advance(
                hold.remainingNanos(nowMoment()) - Duration.ofSeconds(5).toNanos());

        assertThat(hold.accept(1, "one", false)).isTrue();
    }

    @Test
    void s8_aHoldGoesFromOneStateToTheNext() {
        Hold offered = offered();
        assertThat(offered.isHeld()).isFalse();
        assertThat(offered.accept(1, "one", false)).isTrue();
        assertThat(offered.state()).isEqualTo(State.HELD);
        store.last().signals.suspect();
        assertThat(offered.state()).isEqualTo(State.SUSPECT);
        assertThat(offered.refuse()).isFalse();
        assertThat(offered.release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(offered.state()).isEqualTo(State.RELEASED);
        assertThat(offered.accept(1, "one", false)).isFalse();
        assertThat(offered.loss()).isNull();

        Hold lost = held();
        assertThat(lost.lose(LossReason.EXPIRED)).isTrue();
        assertThat(lost.lose(LossReason.GONE)).isFalse();
        assertThat(lost.state()).isEqualTo(State.LOST);
        assertThat(lost.release()).isEqualTo(LockHandle.Release.LOST);
        assertThat(lost.loss().reason()).isEqualTo(LossReason.EXPIRED);
        assertThat(lost.isOf(17)).isFalse();
    }

    @Test
    void s8_anOfferThatIsRefusedIsNoHold() {
        Hold offered = offered();
        Lease lease = offered.lease();

        assertThat(offered.refuse()).isTrue();
        assertThat(offered.refuse()).isFalse();
        offered.decline();

        assertThat(offered.accept(1, "one", false)).isFalse();
        assertThat(lease.holds.stream()).isEmpty();
        assertThat(lease.hasExpired()).as("only a decline gives it back").isFalse();
        assertThat(offered.knownRelease()).isEqualTo(LockHandle.Release.PENDING);
    }

    private Lease offeredWithDelay() {
        store.asking = () -> {
            grant = new Scripted();
            return Attempt.granted(grant);
        };
        Caller first = waiter(new LockKey("lock", LockMode.EXCLUSIVE, DELAYED));
        first.step();
        handle = ((Offered) first.outcome()).handle();
        return handle.hold().lease();
    }

    @Test
    void s15_anOfferThatIsLostHasNoLockDelay() {
        Lease offered = offeredWithDelay();

        offered.lose(LossReason.EXPIRED);

        client.clock.runAll();
        assertThat(grant.isGivenBack()).isFalse();
        assertThat(store.last().withdrawals).isOne();
    }

    @Test
    void s15_aHoldThatIsLostHasItsLockDelay() {
        Hold hold = held(DELAYED);

        hold.lease().lose(LossReason.EXPIRED);

        client.clock.runAll();
        assertThat(grant.keptFor).isEqualTo(Duration.ofSeconds(5));
        assertThat(store.last().withdrawals).isZero();
    }

    @Test
    void s8_anOfferThatIsLostIsNotReported() {
        Hold offered = offered();

        assertThat(offered.lose(LossReason.GONE)).isTrue();

        assertThat(offered.loss()).isNull();
        assertThat(offered.state()).isEqualTo(State.RELEASED);
        assertThat(events).isEmpty();
    }

    @Test
    void s14_theFirstLimitBoundsWhatIsLeft() {
        Hold hold = held(OPTIONS.maximumHold(Duration.ofSeconds(2)));
        assertThat(hold.remainingNanos(nowMoment())).isEqualTo(2 * SECOND);
        assertThat(client.timed()).anyMatch(entry -> entry.nanoTime() <= now() + 2 * SECOND);

        client.clock.advance(2 * SECOND - 1);
        assertThat(hold.isOverLimit(nowMoment())).isFalse();
        assertThat(hold.isHeld()).isTrue();
        client.clock.advance(1);
        assertThat(hold.isOverLimit(nowMoment())).isTrue();
        assertThat(hold.remainingNanos(nowMoment())).isZero();
        assertThat(hold.isHeld()).isFalse();
        assertThat(hold.loss().reason()).isEqualTo(LossReason.MAXIMUM_HOLD);
    }

    @Test
    void s14_theEndOfTheLeaseBoundsWhatIsLeft() {
        Hold hold = held(OPTIONS.maximumHold(LEASE.multipliedBy(2)));
        assertThat(hold.remainingNanos(nowMoment())).isEqualTo(hold.lease().remainingNanos(nowMoment()));
        assertThat(held(OPTIONS.fair()).isOverLimit(nowMoment())).isFalse();

        Hold fixed = held(LockOptions.defaults().fixedLease(LEASE));
        Expiry later = Expiry.after(nowMoment(), LEASE.multipliedBy(2).toNanos());
        fixed.extendTo(later);
        assertThat(fixed.limits().first()).isSameAs(later);
    }

    @Test
    void s6_theKeeperLooksAtTheEndOfAMaximumHold() {
        client.runTimer();
        var hold = held(OPTIONS.maximumHold(Duration.ofMillis(300)));

        assertThat(client.timed())
                .anyMatch(entry ->
                        entry.nanoTime() == now() + Duration.ofMillis(300).toNanos());
        assertThat(hold.isHeld()).isTrue();
    }

    @Test
    void s13_theStoreKeepsTheRestOfTheMinimumHoldAndWhatClocksMayDrift() {
        LockOptions options = OPTIONS.minimumHold(Duration.ofSeconds(3));
        Hold hold = held(options);
        client.clock.advance(SECOND);

        assertThat(hold.keptFor()).isEqualTo(Duration.ofMillis(2_010));
        hold.release();
        assertThat(grant.keptFor).isEqualTo(Duration.ofMillis(2_010));

        Hold longer = held(options);
        client.clock.advance(4 * SECOND);
        assertThat(longer.keptFor()).isZero();
        Hold without = held();
        assertThat(without.keptFor()).isZero();
        Hold forgone = held(options.fair());
        forgone.forgoMinimum();
        assertThat(forgone.keptFor()).isZero();
    }

    @Test
    void api_hooksRunAroundTheFirstEnd() {
        Hold hold = held();

        assertThat(hold.beginHookedEnd()).isTrue();
        assertThat(hold.beginHookedEnd()).isFalse();
    }

    @Test
    void api_aReleaseIsReportedWithTheTimeOfTheHold() {
        Hold hold = held();
        client.clock.advance(SECOND);

        assertThat(hold.release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(hold.release()).isEqualTo(LockHandle.Release.RELEASED);

        assertThat(events).containsExactly("released " + hold.token() + " after 1000 RELEASED");
        assertThat(hold.lease().holds.stream()).isEmpty();
    }

    @Test
    void api_anAsynchronousReleaseEndsTheHoldAtOnce() {
        Hold hold = held();
        List<LockHandle.Release> released = new ArrayList<>();

        hold.releaseAsync(released::add);

        assertThat(hold.isHeld()).isFalse();
        assertThat(released).isEmpty();
        client.clock.runAll();
        assertThat(released).containsExactly(LockHandle.Release.RELEASED);
        hold.releaseAsync(released::add);
        assertThat(released).containsExactly(LockHandle.Release.RELEASED, LockHandle.Release.RELEASED);
    }

    @Test
    void s7_aReleaseWithoutAnAnswerIsPendingUntilItIsConfirmed() {
        Hold hold = held();
        grant.answers = false;

        assertThat(hold.release()).isEqualTo(LockHandle.Release.PENDING);
        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.PENDING);
        assertThat(events).containsExactly("released " + hold.token() + " after 0 PENDING");
        grant.answers = true;
        client.clock.runAll();

        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void s6_aLossSaysWhatWasLostAndWhen() {
        Hold hold = held();
        List<LockLoss> losses = new ArrayList<>();
        handle.onLost(losses::add);
        client.clock.advance(SECOND);

        hold.lease().lose(LossReason.EXPIRED);

        assertThat(losses).singleElement().isSameAs(hold.loss()).satisfies(loss -> {
            assertThat(loss.lockName()).isEqualTo("lock");
            assertThat(loss.fencingToken()).isEqualTo(hold.token());
            assertThat(loss.reason()).isEqualTo(LossReason.EXPIRED);
            assertThat(loss.held()).isEqualTo(Duration.ofSeconds(1));
            assertThat(loss.noticed()).isEqualTo(Instant.ofEpochMilli(client.clock.wallMillis()));
        });
        assertThat(events).containsExactly("lost " + hold.token() + " after 1000 EXPIRED");
        assertThat(hold.lease().holds.stream()).isEmpty();
    }

    @Test
    void s9_aDowngradeEndsTheHoldAndItsLease() {
        Hold hold = held();

        assertThat(hold.endForDowngrade()).isTrue();
        assertThat(hold.isHeld()).isFalse();
        assertThat(hold.lease().hasExpired()).isTrue();
        assertThat(hold.endForDowngrade()).isFalse();
        client.clock.advance(SECOND);
        hold.downgraded(LockHandle.Release.PENDING);
        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.PENDING);
        hold.releaseConfirmed();
        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(events).containsExactly("released " + hold.token() + " after 1000 PENDING");
    }

    @Test
    void s8_aDowngradeThatFindsNothingIsALoss() {
        Hold hold = held();
        assertThat(hold.endForDowngrade()).isTrue();
        client.clock.advance(SECOND);

        hold.lostByDowngrade(LossReason.GONE);

        assertThat(hold.state()).isEqualTo(State.RELEASED);
        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.LOST);
        assertThat(hold.loss().reason()).isEqualTo(LossReason.GONE);
        assertThat(events)
                .containsExactly(
                        "lost " + hold.token() + " after 1000 GONE", "released " + hold.token() + " after 1000 LOST");
    }

    @Test
    void v9_aDroppedHandleIsReportedAndReleased() {
        Hold hold = held();
        client.clock.advance(SECOND);

        hold.dropped();
        assertThat(events)
                .as("before the release, which may wait")
                .containsExactly("leaked " + hold.token() + " after 1000");
        client.clock.runAll();

        assertThat(hold.state()).isEqualTo(State.RELEASED);
        assertThat(grant.isGivenBack()).isTrue();
        assertThat(events)
                .containsExactly(
                        "leaked " + hold.token() + " after 1000", "released " + hold.token() + " after 1000 RELEASED");
        hold.dropped();
        assertThat(events).hasSize(2);
    }

    @Test
    void s15_aDroppedHandleLeavesTheLockDelayToTheStore() {
        Hold hold = held(DELAYED);
        client.clock.advance(SECOND);

        hold.dropped();

        assertThat(hold.state()).isEqualTo(State.RELEASED);
        assertThat(hold.knownRelease()).isEqualTo(LockHandle.Release.PENDING);
        assertThat(hold.lease().hasExpired()).isTrue();
        assertThat(grant.isGivenBack()).isFalse();
        assertThat(events)
                .containsExactly(
                        "leaked " + hold.token() + " after 1000", "released " + hold.token() + " after 1000 PENDING");
        client.clock.runAll();
        assertThat(grant.keptFor).isEqualTo(Duration.ofSeconds(5));
    }
}
