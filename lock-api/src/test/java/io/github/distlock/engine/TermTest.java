package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.engine.HoldLincheckTest.ManualClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When a lease is renewed and when it ends, to the nanosecond. */
class TermTest {
    private static final Duration LEASE = Duration.ofSeconds(24);
    /** A third of the lease. */
    private static final long RENEWED_AFTER = Duration.ofSeconds(8).toNanos();
    /** An eighth of that. */
    private static final long AHEAD = Duration.ofSeconds(1).toNanos();

    private final ManualClock clock = new ManualClock();
    private final long granted = nowAfter(Duration.ofHours(1).toNanos());
    private final Term term = new Term(validity(LEASE), HoldLincheckTest.SETTINGS, clock);

    private long nowAfter(long nanos) {
        clock.advance(nanos);
        return clock.nanoTime();
    }

    private Validity validity(Duration length) {
        return Validity.of(clock.now(), length);
    }

    /** Has a renewal fail that was sent now. */
    private void fail(Term failing) {
        assertThat(failing.beginRenewal()).isTrue();
        failing.renewalUnknown();
        assertThat(failing.becomeSuspect()).isTrue();
    }

    private void expectDueAt(long nanoTime) {
        assertThat(term.isDue(nanoTime - 1)).as("is due before its time").isFalse();
        assertThat(term.isDue(nanoTime)).as("is due at its time").isTrue();
    }

    @Test
    void s6_theAllowanceIsDriftAndATwentiethOrTheGuardIfThatIsMore() {
        long longer = LEASE.toNanos();
        assertThat(term.end().nanoTime() - granted).isEqualTo(longer / 100 * 99 - longer / 20);

        Term brief = new Term(validity(Duration.ofMillis(100)), HoldLincheckTest.SETTINGS, clock);
        assertThat(brief.end().nanoTime() - granted)
                .isEqualTo(Duration.ofMillis(99 - 50).toNanos());
    }

    @Test
    void v8_aRenewalMayTravelWithOthersAnEighthBeforeItsTime() {
        assertThat(term.nextLook()).isEqualTo(granted + RENEWED_AFTER);
        expectDueAt(granted + RENEWED_AFTER - AHEAD);
    }

    @Test
    void s14_aPromiseOutlastsTheAnswersToOtherRenewals() {
        long minute = Duration.ofMinutes(1).toNanos();
        Expiry promised = Expiry.after(clock.now(), minute);
        term.noteAsked(promised, LEASE);
        assertThat(term.mayServeOthers()).isFalse();

        term.promise(promised);
        term.renewed(validity(LEASE));

        assertThat(term.end()).isSameAs(promised);
        assertThat(term.remainingNanos(clock.now())).isEqualTo(minute);
        assertThat(term.lengthOfRenewal(LEASE, Duration.ofHours(1))).isGreaterThan(Duration.ofMinutes(1));
        clock.advance(Duration.ofSeconds(50).toNanos());
        assertThat(term.mayServeOthers()).isTrue();
        assertThat(term.lengthOfRenewal(LEASE, Duration.ofHours(1))).isEqualTo(LEASE);
    }

    /** As in a suspended process whose promise has ended by the wall clock: a later answer counts. */
    @Test
    void s14_whatALaterAnswerProvesCountsIfAPromiseIsOver() {
        term.promise(Expiry.after(
                new Moment(clock.nanoTime(), 0), Duration.ofMinutes(1).toNanos()));

        term.renewed(validity(LEASE));

        assertThat(term.isPast(clock.now())).isFalse();
    }

    /** The earlier promise ends later by the monotonic clock alone. */
    @Test
    void s14_aPromiseCountsIfAJumpOfTheWallClockHasLeftLessOfAnEarlierOne() {
        term.promise(Expiry.after(
                new Moment(clock.nanoTime(), 0), Duration.ofMinutes(2).toNanos()));

        term.promise(Expiry.after(clock.now(), Duration.ofMinutes(1).toNanos()));

        assertThat(term.remainingNanos(clock.now()))
                .isEqualTo(Duration.ofMinutes(1).toNanos());
    }

    @Test
    void s6_aValidityOfWhichAJumpOfTheWallClockHasLeftNothingDoesNotEndALease() {
        Validity before = Validity.of(new Moment(clock.nanoTime(), 0), LEASE.multipliedBy(2));

        term.extend(before);

        assertThat(term.isPast(clock.now())).isFalse();
    }

    @Test
    void s14_aLongerLeaseIsRenewedAtTheUsualPace() {
        term.noteAsked(Expiry.after(clock.now(), Duration.ofMinutes(1).toNanos()), LEASE);

        term.proved(validity(Duration.ofMinutes(2)));

        assertThat(term.nextLook() - clock.nanoTime()).isEqualTo(RENEWED_AFTER);
    }

    @Test
    void v8_noRenewalIsPlannedAfterHalfOfTheUsableTime() {
        Validity late = validity(LEASE).withRenewAfter(LEASE.minusSeconds(1));

        Term planned = new Term(late, HoldLincheckTest.SETTINGS, clock);

        assertThat(planned.nextLook() - granted).isEqualTo((planned.end().nanoTime() - granted) / 2);
    }

    @Test
    void v8_afterAFailureTheNextRenewalComesInASecondAndNoEarlier() {
        fail(term);

        assertThat(term.nextLook()).isEqualTo(granted + Duration.ofSeconds(1).toNanos());
        expectDueAt(granted + Duration.ofSeconds(1).toNanos());
        assertThat(term.becomeSuspect()).as("becomes suspect again").isFalse();
    }

    @Test
    void v8_afterAFailureABriefLeaseIsRenewedSooner() {
        Duration lease = Duration.ofSeconds(2);
        Term brief = new Term(validity(lease), HoldLincheckTest.SETTINGS, clock);

        fail(brief);

        assertThat(brief.nextLook()).isEqualTo(granted + lease.toNanos() / 20);
    }

    @Test
    void v8_oneRenewalAtATimeIsUnderWayAndItsAnswerPlansTheNext() {
        fail(term);
        assertThat(term.beginRenewal()).isTrue();
        assertThat(term.beginRenewal()).as("a second renewal begins").isFalse();
        assertThat(term.isDue(term.end().nanoTime())).isFalse();
        assertThat(term.nextLook()).isEqualTo(term.end().nanoTime());

        long sent = nowAfter(AHEAD);
        term.renewed(validity(LEASE));

        assertThat(term.isSuspect()).isFalse();
        assertThat(term.nextLook()).isEqualTo(sent + RENEWED_AFTER);
        expectDueAt(sent + RENEWED_AFTER - AHEAD);
    }

    @Test
    void s6_lateAnswersMoveTheEndOnlyForward() {
        Expiry first = term.end();
        term.extend(validity(Duration.ofSeconds(1)));
        assertThat(term.end()).isSameAs(first);

        clock.advance(1);
        term.extend(validity(LEASE));

        assertThat(term.end().nanoTime()).isEqualTo(first.nanoTime() + 1);
    }

    @Test
    void s6_whatWasSentAfterABrokenConnectionIsNotInDoubt() {
        term.renewWhatIsProvedBefore(granted);
        assertThat(term.nextLook()).isEqualTo(granted + RENEWED_AFTER);

        term.renewWhatIsProvedBefore(granted + 1);
        assertThat(term.nextLook()).isEqualTo(granted + 1);
    }

    @Test
    void s6_anAnswerToWhatWasSentBeforeABrokenConnectionIsInDoubt() {
        Moment sent = clock.now();
        long broken = nowAfter(AHEAD);
        term.renewWhatIsProvedBefore(broken);

        term.renewed(Validity.of(sent, LEASE));
        assertThat(term.nextLook()).isEqualTo(broken);

        term.renewed(validity(LEASE));
        assertThat(term.nextLook()).isEqualTo(broken + RENEWED_AFTER);
    }

    @Test
    void s14_anotherHolderGetsALeaseThatTheStoreKeepsNoLongerThanUsual() {
        long usable = HoldLincheckTest.SETTINGS.usable(LEASE.toNanos());
        term.noteAsked(Expiry.after(clock.now(), usable + 1), LEASE);
        assertThat(term.mayServeOthers()).isFalse();

        clock.advance(1);

        assertThat(term.mayServeOthers()).isTrue();
    }

    @Test
    void s6_anExpiryIsPastAtItsTimeByTheClockThatHasLess() {
        Expiry end = Expiry.after(new Moment(0, 0), Duration.ofMillis(5).toNanos());

        assertThat(end.isPast(new Moment(4_999_999, 4))).isFalse();
        assertThat(end.isPast(new Moment(5_000_000, 4))).isTrue();
        assertThat(end.isPast(new Moment(4_999_999, 5))).isTrue();
    }

    @Test
    void s3_aTokenHasABaseAndTheNumberOfItsHandoff() {
        long largest = (1L << 55) - 1;

        assertThat(FencingTokens.first(largest)).isEqualTo(largest << 8);
        assertThat(FencingTokens.requireBase(1)).isEqualTo(1);
        assertThatThrownBy(() -> FencingTokens.requireBase(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FencingTokens.requireBase(largest + 1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(FencingTokens.base((7 << 8) + 3, "token")).isEqualTo(7);
        assertThat(FencingTokens.base(1 << 8, "token")).isEqualTo(1);
        assertThatThrownBy(() -> FencingTokens.base((1 << 8) - 1, "token")).hasMessageContaining("token must be");
    }
}
