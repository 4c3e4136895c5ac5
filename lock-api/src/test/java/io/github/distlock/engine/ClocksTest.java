package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Moment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** S6 and S8 on both clocks, with time moved by hand. */
class ClocksTest extends EngineTest {

    @Test
    void s6_aHoldIsValidForLessThanItsLease() throws Exception {
        Duration remaining = lock.acquire().remaining();
        // 30 s, less 1 % for drift, less a twentieth as guard.
        assertThat(remaining).isLessThanOrEqualTo(Duration.ofMillis(28_200)).isGreaterThan(Duration.ofSeconds(20));
    }

    @Test
    void v8_renewalKeepsAHoldForManyLeases() throws Exception {
        LockHandle held = lock.acquire();
        store.advance(Duration.ofHours(1));
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void s6_afterAPauseOfTheProcessTheFirstLookSaysLost() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        store.jump(LEASE);
        assertThat(held.isHeld()).isFalse();
        assertThat(held.state()).isEqualTo(LockHandle.State.LOST);
        expectLoss(LossReason.EXPIRED, losses);
    }

    @Test
    void s6_theWallClockAloneEndsAHoldWhenTheMonotonicOneStoodStill() throws Exception {
        LockHandle held = lock.acquire();
        store.jumpWallClock(LEASE);
        assertThat(held.isHeld()).isFalse();
    }

    @Test
    void s6_aLossByTheWallClockIsToldWithinASecond() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        store.jumpWallClock(LEASE);
        store.advance(Duration.ofSeconds(1));
        assertThat(losses).hasSize(1);
    }

    @Test
    void s6_aWallClockThatIsSetBackChangesNothing() throws Exception {
        LockHandle held = lock.acquire();
        store.jumpWallClock(LEASE.multipliedBy(-100));
        assertThat(held.isHeld()).isTrue();
        memory.pause();
        store.advance(LEASE);
        assertThat(held.state()).isEqualTo(LockHandle.State.LOST);
    }

    @Test
    void s6_eitherClockEndsAnExpiry() {
        Expiry expiry = Expiry.after(new Moment(1_000, 50), 5_000_000);
        assertThat(expiry.isPast(new Moment(5_000_999, 54))).isFalse();
        assertThat(expiry.isPast(new Moment(5_001_000, 50))).isTrue();
        assertThat(expiry.isPast(new Moment(1_000, 55))).isTrue();
        assertThat(expiry.remainingNanos(new Moment(1_000, 53))).isEqualTo(2_000_000);
    }

    @Test
    void s6_anExpirySurvivesAMonotonicClockThatWrapsAround() {
        Expiry expiry = Expiry.after(new Moment(Long.MAX_VALUE - 10, 0), 1_000_000_000);
        assertThat(expiry.isPast(new Moment(Long.MAX_VALUE, 0))).isFalse();
        assertThat(expiry.isPast(new Moment(Long.MIN_VALUE + 1_000_000_000, 0))).isTrue();
    }

    @Test
    void aTimedWaitCountsOnTheMonotonicClockAlone() throws Exception {
        LockHandle held = other.lock("a").acquire();
        var waiting = lock.tryAcquireAsync(Duration.ofMinutes(5));
        for (int i = 0; i < 10; i++) {
            store.jumpWallClock(Duration.ofSeconds(5));
            store.advance(Duration.ofSeconds(28));
        }
        assertThat(waiting).isNotDone();
        store.advance(Duration.ofSeconds(20));
        assertThat(waiting).isCompletedWithValueMatching(Optional::isEmpty);
        held.release();
    }
}
