package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LossReason;
import io.github.distlock.spi.Moment;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Which limit of a hold comes first. */
class LimitsTest {
    private static final Moment NOW = new Moment(0, 0);
    private static final Expiry SOON = after(1);
    private static final Expiry LATER = after(2);

    private static Expiry after(long seconds) {
        return Expiry.after(NOW, Duration.ofSeconds(seconds).toNanos());
    }

    private static void expect(Limits limits, Expiry first, LossReason reason) {
        assertThat(limits.first()).isSameAs(first);
        assertThat(limits.reason(NOW)).isEqualTo(reason);
        assertThat(limits.remainingNanos(NOW)).isEqualTo(first.remainingNanos(NOW));
    }

    @Test
    void s14_theEarlierOneOfAFixedLeaseAndAMaximumHoldEndsAHold() {
        expect(new Limits(SOON, null), SOON, LossReason.LEASE_ENDED);
        expect(new Limits(SOON, null).withMaximum(LATER), SOON, LossReason.LEASE_ENDED);
        expect(new Limits(LATER, null).withMaximum(SOON), SOON, LossReason.MAXIMUM_HOLD);
        expect(Limits.NONE.withMaximum(LATER), LATER, LossReason.MAXIMUM_HOLD);
        assertThat(Limits.NONE.first()).isNull();
        assertThat(Limits.NONE.remainingNanos(NOW)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void s14_anExtensionMovesOnlyAFixedLeaseAndOnlyForward() {
        expect(new Limits(SOON, null).extended(LATER, NOW), LATER, LossReason.LEASE_ENDED);
        expect(new Limits(LATER, null).extended(SOON, NOW), LATER, LossReason.LEASE_ENDED);
        expect(new Limits(SOON, LATER).extended(after(3), NOW), LATER, LossReason.MAXIMUM_HOLD);
        assertThat(Limits.NONE.extended(LATER, NOW)).isSameAs(Limits.NONE);
    }

    @Test
    void s14_anExtensionAfterAJumpOfTheWallClockMovesAFixedLeaseOfWhichLessIsLeft() {
        Moment afterJump = new Moment(0, 1_500);
        Expiry extended = Expiry.after(afterJump, Duration.ofSeconds(1).toNanos());

        expect(new Limits(LATER, null).extended(extended, afterJump), extended, LossReason.LEASE_ENDED);
    }

    /** The wall clock has jumped ahead between the beginning of the maximum hold and the extension. */
    @Test
    void s14_aMaximumHoldEndsAHoldThatHasLessLeftOnTheWallClockOnly() {
        Moment afterJump = new Moment(0, 1_500);
        Expiry extended = Expiry.after(afterJump, Duration.ofSeconds(1).toNanos());
        Limits limits = new Limits(SOON, null).extended(extended, afterJump).withMaximum(LATER);

        assertThat(limits.first()).as("on the monotonic clock").isSameAs(extended);
        assertThat(limits.remainingNanos(afterJump)).isEqualTo(LATER.remainingNanos(afterJump));
        assertThat(limits.reason(afterJump)).isEqualTo(LossReason.MAXIMUM_HOLD);
    }
}
