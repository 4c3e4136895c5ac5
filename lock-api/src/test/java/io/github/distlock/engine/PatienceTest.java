package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.engine.HoldLincheckTest.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** For how long an acquire waits and asks, to the nanosecond. */
class PatienceTest {
    private static final long WAIT = Duration.ofMillis(300).toNanos();
    private static final long GRACE = Settings.LAST_REQUEST_GRACE;
    private static final Settings SETTINGS = HoldLincheckTest.SETTINGS;

    private final ManualClock clock = new ManualClock();
    private final long begun = nowAfter(Duration.ofHours(1).toNanos());

    private final Patience limited = Patience.limited(Duration.ofNanos(WAIT), SETTINGS, clock);
    private final Patience single = Patience.limited(Duration.ZERO, SETTINGS, clock);
    private final Patience unlimited = Patience.untilHeld(SETTINGS, clock);

    private long nowAfter(long nanos) {
        clock.advance(nanos);
        return clock.nanoTime();
    }

    private long requestTime(Patience patience) {
        return patience.deadline(clock).remainingNanos();
    }

    @Test
    void v4_aTimedAcquireEndsAfterItsTimeAndTheGraceOfItsLastRequest() {
        long end = begun + WAIT;
        assertThat(limited.since()).isEqualTo(begun);
        assertThat(limited.isLimited()).isTrue();
        assertThat(limited.isSingleTry()).isFalse();

        assertThat(limited.isOver(end - 1)).isFalse();
        assertThat(limited.isOver(end)).isTrue();
        assertThat(limited.isOverWithGrace(end + GRACE - 1)).isFalse();
        assertThat(limited.isOverWithGrace(end + GRACE)).isTrue();
        assertThat(limited.latest()).isEqualTo(end + 2 * GRACE);
    }

    @Test
    void v4_theNextLookIsNoLaterThanTheNextEndOfPatience() {
        long end = begun + WAIT;

        assertThat(limited.next(begun, end - 1)).isEqualTo(end - 1);
        assertThat(limited.next(begun, end + 1)).isEqualTo(end);
        assertThat(limited.next(end, end + 1)).isEqualTo(end + GRACE);
    }

    @Test
    void v4_theLastRequestMayTakeTheGrace() {
        assertThat(requestTime(limited)).isEqualTo(WAIT + GRACE);

        clock.advance(WAIT - 1);
        assertThat(requestTime(limited)).isEqualTo(1 + GRACE);
        clock.advance(WAIT);
        assertThat(requestTime(limited)).isEqualTo(GRACE);
    }

    @Test
    void v4_aRequestOfAPatientAcquireTakesNoLongerThanTheRequestTimeout() {
        Patience patient = Patience.limited(Duration.ofHours(1), SETTINGS, clock);

        assertThat(requestTime(patient)).isEqualTo(SETTINGS.requestTimeout());
        assertThat(requestTime(unlimited)).isEqualTo(SETTINGS.requestTimeout());
        assertThat(requestTime(single)).isEqualTo(SETTINGS.requestTimeout());
        clock.advance(1);
        assertThat(requestTime(single)).isEqualTo(SETTINGS.requestTimeout() - 1);
    }

    @Test
    void v4_aTimedAcquireAsksOnceEvenIfItsTimeIsOver() {
        long end = begun + WAIT;
        assertThat(limited.mayAsk(end)).isTrue();

        limited.noteAsked();

        assertThat(limited.mayAsk(end - 1)).isTrue();
        assertThat(limited.mayAsk(end)).isFalse();
        assertThat(limited.isOver(end - 1)).as("is over after an answer").isFalse();
    }

    @Test
    void v4_aSingleTryIsOverWithItsAnswer() {
        long end = begun + SETTINGS.requestTimeout();
        assertThat(single.isSingleTry()).isTrue();
        assertThat(single.isLimited()).isTrue();
        assertThat(single.isOverWithGrace(end - 1)).isFalse();
        assertThat(single.isOverWithGrace(end)).isTrue();

        single.noteAnswer();
        assertThat(single.mayAsk(begun)).isFalse();
        assertThat(single.isOver(begun)).isTrue();
        assertThat(single.isOverWithGrace(begun)).isTrue();

        single.forgetAnswer();
        assertThat(single.mayAsk(begun)).isTrue();
        assertThat(single.isOverWithGrace(begun)).isFalse();
    }

    @Test
    void v4_anAcquireWithoutALimitGivesUpOnlyInAnOutage() {
        assertThat(unlimited.isLimited()).isFalse();
        assertThat(unlimited.isOver(begun + Duration.ofDays(3_650).toNanos())).isFalse();

        long end = begun + SETTINGS.outageTimeout();
        assertThat(unlimited.isOutage(end - 1, begun - 1)).isFalse();
        assertThat(unlimited.isOutage(end, begun - 1)).isTrue();
        assertThat(unlimited.isOutage(end, begun + 1)).isFalse();
        assertThat(unlimited.isOutage(end + 1, begun + 1)).isTrue();
        assertThat(limited.isOutage(end, begun)).isFalse();
        assertThat(single.isOutage(end, begun)).isFalse();
    }
}
