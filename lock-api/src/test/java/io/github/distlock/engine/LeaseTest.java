package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A lease and its users, one step after the other. */
class LeaseTest {
    private static final Duration MAXIMUM_HOLD = Duration.ofSeconds(5);
    private static final long MILLISECOND = Duration.ofMillis(1).toNanos();
    private static final LockOptions OPTIONS =
            LockOptions.defaults().renewedLease(Duration.ofSeconds(30)).maximumHold(MAXIMUM_HOLD);

    private final NoStore store = new NoStore();
    private final ThreadlessEngine client = new ThreadlessEngine(store, new Journal());
    private final Lease lease =
            HandoffTest.granted(client, "a", LockMode.READ, OPTIONS, Validity.of(client.clock.now(), OPTIONS.lease()));

    private static Handle accepted(Handle offered, long thread) {
        assertThat(offered.hold().accept(thread, "thread", false)).isTrue();
        return offered;
    }

    @Test
    void s5_nobodyEntersAfterTheLastUserHasLeft() {
        Holds holds = new Holds();
        assertThat(holds.enter()).isTrue();

        assertThat(holds.leave()).as("the last user of two has left").isFalse();
        assertThat(holds.leave()).as("the last user has left").isTrue();

        assertThat(holds.enter()).isFalse();
        assertThat(holds.enter()).isFalse();
    }

    @Test
    void v12_theHoldThatBeganWithTheGrantIsTheFirst() {
        Hold first = lease.offer().hold();
        Hold second = lease.join().hold();

        assertThat(lease.holds.isFirst(first)).isTrue();
        assertThat(lease.holds.isFirst(second)).isFalse();
        lease.forget(first);
        assertThat(lease.holds.isFirst(lease.join().hold())).isFalse();
        Holds afterWriter = new Holds();
        afterWriter.followWriter();
        afterWriter.add(first);
        assertThat(afterWriter.isFirst(first)).isFalse();
    }

    @Test
    void s6_theFirstLimitOfAHoldDecidesWhenTheKeeperLooks() {
        long begun = client.clock.nanoTime();
        Handle first = accepted(lease.offer(), 1);
        client.clock.advance(1);
        Handle second = accepted(lease.join(), 2);

        assertThat(lease.nextLook()).isEqualTo(begun + MAXIMUM_HOLD.toNanos());
        assertThat(lease.endsAt()).isEqualTo(begun + MAXIMUM_HOLD.toNanos());
        assertThat(first.release()).isEqualTo(Release.RELEASED);
        assertThat(lease.nextLook()).isEqualTo(begun + 1 + MAXIMUM_HOLD.toNanos());
        assertThat(lease.holds.isAnyOf(1)).isFalse();
        assertThat(lease.holds.isAnyOf(2)).isTrue();
        assertThat(second.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void v8_aLeaseInDoubtIsRenewedAtOnce() {
        var unused = accepted(lease.offer(), 1);
        client.clock.advance(1);
        long now = client.clock.nanoTime();
        assertThat(lease.isDue(now)).isFalse();

        lease.suspect();

        assertThat(lease.term.isSuspect()).isTrue();
        assertThat(lease.isDue(now)).isTrue();
    }

    @Test
    void s5_aHoldWhoseHandleIsDroppedBeforeItIsAcceptedGoesBack() {
        Hold offered = lease.offer().hold();

        offered.dropped();

        assertThat(lease.hasExpired()).isTrue();
        client.clock.runAll();
        assertThat(store.remembered).as("contenders that the backend remembers").hasValue(0);
    }

    @Test
    void v8_nothingRenewsALeaseThatIsLostBeforeItsFirstHold() {
        lease.lose(LossReason.EXPIRED);

        assertThat(lease.offer()).isNull();

        assertThat(client.keeper.leases()).isEmpty();
    }

    @Test
    void s14_theLimitOfTheLastHoldEndsTheLease() {
        Hold first = accepted(lease.offer(), 1).hold();
        client.clock.advance(MILLISECOND);
        Hold second = accepted(lease.join(), 2).hold();

        client.clock.advance(MAXIMUM_HOLD.toNanos() - MILLISECOND);
        assertThat(lease.hasExpired()).isFalse();
        assertThat(lease.holds.stream()).containsExactly(second);
        assertThat(first.loss().reason()).isEqualTo(LossReason.MAXIMUM_HOLD);

        client.clock.advance(MILLISECOND);
        assertThat(lease.hasExpired()).isTrue();
        assertThat(lease.lossReason()).isEqualTo(LossReason.MAXIMUM_HOLD);
    }
}
