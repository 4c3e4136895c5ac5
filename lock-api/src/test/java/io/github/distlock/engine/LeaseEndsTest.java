package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How long a lease lasts, when it is renewed, and how it ends, whatever the grant says. */
class LeaseEndsTest extends OneQueueTest {
    private final LockKey fixed =
            new LockKey("lock", LockMode.EXCLUSIVE, LockOptions.defaults().fixedLease(LEASE));

    /** The last grant. */
    private Scripted grant = new Scripted(LEASE);

    /** A grant that answers as the test says. */
    private final class Scripted extends SharedGrant {
        private boolean ended;
        private Validity latest = validity();
        private Runnable looking = () -> {};
        private Runnable releasing = () -> {};
        private int basesAsked;

        Scripted(Duration length) {
            super(new Journal(), List.of(), Validity.of(client.clock.now(), length));
        }

        @Override
        public boolean hasEnded() {
            looking.run();
            return ended;
        }

        @Override
        public Validity latestValidity() {
            return latest;
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) {
            basesAsked++;
            return OptionalLong.of(9);
        }

        @Override
        public Release release(Deadline deadline) {
            releasing.run();
            return super.release(deadline);
        }
    }

    private Handle held(LockKey of, Duration length) {
        store.asking = () -> {
            grant = new Scripted(length);
            return Attempt.granted(grant);
        };
        Caller first = waiter(of);
        first.step();
        store.asking = () -> Attempt.busy(RETRY);
        return first.accepted();
    }

    private Handle held() {
        return held(key, LEASE);
    }

    private static Expiry usable(Validity validity) {
        return HoldLincheckTest.SETTINGS.expiry(validity);
    }

    @Test
    void s14_aLeaseForAUsableTimeIsHardlyLongerThanNecessary() {
        for (Duration time :
                Stream.of(10, 500, 1_000, 3_600_000).map(Duration::ofMillis).toList()) {
            long usable = HoldLincheckTest.SETTINGS.usable(HoldLincheckTest.SETTINGS.leaseFor(time.toNanos()));

            assertThat(usable).isBetween(time.toNanos(), time.plusMillis(3).toNanos());
        }
    }

    @Test
    void s6_aFixedLeaseEndsAtItsEndWithoutARenewal() {
        Lease lease = held(fixed, LEASE).hold().lease();
        assertThat(lease.lockName()).isEqualTo("lock");
        Expiry end = usable(grant.validity());

        assertThat(lease.fixedEnd().nanoTime()).isEqualTo(end.nanoTime());
        assertThat(lease.nextLook()).isEqualTo(end.nanoTime());
        assertThat(lease.isDue(end.nanoTime())).isFalse();
        client.clock.advance(end.nanoTime() - now());
        assertThat(lease.hasExpired()).isTrue();
        assertThat(lease.lossReason()).isEqualTo(LossReason.LEASE_ENDED);
    }

    @Test
    void v8_aFixedLeaseIsRenewedIfTheStoresValidityIsShorter() {
        Lease lease = held(fixed, LEASE.dividedBy(2)).hold().lease();

        assertThat(lease.nextLook()).isLessThan(usable(grant.validity()).nanoTime());
        assertThat(lease.isDue(lease.nextLook())).isTrue();
    }

    @Test
    void v8_aRenewedLeaseHasNoFixedEnd() {
        Lease lease = held().hold().lease();

        assertThat(lease.fixedEnd()).isNull();
        assertThat(lease.isDue(lease.nextLook())).isTrue();
        assertThat(lease.endsAt()).isEqualTo(usable(grant.validity()).nanoTime());
    }

    @Test
    void s3_handoffsGoOnWithAnotherBaseForWhichTheStoreIsAskedOnce() {
        Handle held = held();
        List<Handle> all = new ArrayList<>(List.of(held));

        for (int i = 0; i < 64; i++) {
            Caller next = waiter();
            held.release();
            held = next.accepted();
            all.add(held);
        }

        assertThat(grant.basesAsked).isOne();
        assertThat(held.fencingToken() >> 8).isEqualTo(9);
        assertThat(all).extracting(Handle::fencingToken).isSorted().doesNotHaveDuplicates();
        assertThat(store.spots).hasSize(1);
    }

    @Test
    void v2_aWaiterDoesNotAskWhileTheReleaseIsUnderWay() {
        Handle held = held();
        List<Integer> asked = new ArrayList<>();
        grant.releasing = () -> {
            waiter().step();
            asked.add(store.spots.size());
        };

        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);

        assertThat(asked).containsExactly(1);
        assertThat(((Caller) queue.head()).wakes).isOne();
    }

    @Test
    void v3_theHeadIsWokenAtTheEndOfTheTimeForHandoffs() {
        var unused = held();
        client.timed().forEach(Timer.Entry::cancel);
        Caller next = waiter();
        next.step();
        next.step();
        next.step();
        assertThat(client.timed())
                .extracting(Timer.Entry::nanoTime)
                .containsExactly(now() + HoldLincheckTest.SETTINGS.handoffTime());

        client.clock.advance(HoldLincheckTest.SETTINGS.handoffTime());
        client.runTimer();

        assertThat(next.wakes).isOne();
    }

    @Test
    void s6_aGrantThatSaysThatItHasEndedIsGone() {
        Handle held = held();

        grant.ended = true;

        assertThat(held.isHeld()).isFalse();
        assertThat(held.hold().lease().lossReason()).isEqualTo(LossReason.GONE);
        assertThat(held.hold().loss().reason()).isEqualTo(LossReason.GONE);
        assertThat(events).contains("lost " + held.fencingToken() + " after 0 GONE");
    }

    @Test
    void s6_whatLateAnswersProveKeepsAHold() {
        Handle held = held();
        client.clock.advance(LEASE.toNanos());
        grant.latest = Validity.of(client.clock.now(), LEASE);

        assertThat(held.isHeld()).isTrue();

        client.clock.advance(LEASE.toNanos());
        assertThat(held.isHeld()).isFalse();
        assertThat(held.hold().loss().reason()).isEqualTo(LossReason.EXPIRED);
    }

    @Test
    void s8_aReleaseThatFindsNothingReportsALoss() {
        Handle held = held();
        grant.delete();

        assertThat(held.release()).isEqualTo(LockHandle.Release.LOST);

        assertThat(held.hold().loss().reason()).isEqualTo(LossReason.GONE);
        assertThat(events).contains("lost " + held.fencingToken() + " after 0 GONE");
        assertThat(client.queues.get(key)).isNotSameAs(queue);
    }

    @Test
    void s8_aReleaseOfALeaseThatEndsMeanwhileReportsItsLoss() {
        Handle held = held();
        Caller next = waiter();
        // The holder looks before its hold ends, and then for the handoff.
        grant.looking = () -> grant.looking = () -> store.last().signals.gone();

        assertThat(held.release()).isEqualTo(LockHandle.Release.LOST);

        assertThat(held.hold().loss().reason()).isEqualTo(LossReason.GONE);
        assertThat(next.hasOutcome()).isFalse();
    }

    @Test
    void v8_aLeaseThatBecomesSuspectIsReportedWithTheTimeThatIsLeft() {
        Handle held = held();

        store.last().signals.suspect();
        store.last().signals.suspect();

        long left = usable(grant.validity()).remainingNanos(client.clock.now()) / 1_000_000;
        assertThat(events)
                .filteredOn(event -> event.startsWith("suspect"))
                .containsExactly("suspect " + held.fencingToken() + " after " + left);
    }

    @Test
    void s14_theMaximumHoldOfTheLastHolderEndsTheLease() {
        LockOptions options = OPTIONS.maximumHold(LEASE.dividedBy(4));
        Handle held = held(new LockKey("lock", LockMode.EXCLUSIVE, options), LEASE);
        client.clock.advance(LEASE.dividedBy(4).toNanos());

        assertThat(held.hold().lease().hasExpired()).isTrue();

        assertThat(held.hold().loss().reason()).isEqualTo(LossReason.MAXIMUM_HOLD);
        client.clock.runAll();
        assertThat(grant.isGivenBack()).isTrue();
    }

    @Test
    void s7_aLeaseThatMayBeLeftAtTheStoreIsReleasedThere() {
        Handle held = held();
        Lease lease = held.hold().lease();

        lease.lose(LossReason.EXPIRED);
        lease.lose(LossReason.GONE);

        assertThat(events).contains("lost " + held.fencingToken() + " after 0 EXPIRED");
        client.clock.runAll();
        assertThat(grant.isGivenBack()).isTrue();
        assertThat(store.last().forgotten).isOne();
        assertThat(lease.loseQuietly(LossReason.GONE)).isFalse();
        assertThat(lease.lossReason()).isEqualTo(LossReason.EXPIRED);
    }

    @Test
    void s7_aLeaseThatIsGoneIsForgottenWithoutARelease() {
        Lease lease = held().hold().lease();

        lease.lose(LossReason.GONE);

        client.clock.runAll();
        assertThat(grant.isGivenBack()).isFalse();
        assertThat(store.last().forgotten).isOne();
        assertThat(held().hold().lease().loseQuietly(LossReason.CLIENT_CLOSED)).isTrue();
    }

    @Test
    void v2_aLeaseThatGoesBackInTheBackgroundWakesTheHead() {
        Lease lease = held().hold().lease();
        Caller next = waiter();
        next.step();

        lease.giveBackInBackground();
        lease.giveBackInBackground();

        assertThat(next.wakes).isOne();
        client.clock.runAll();
        assertThat(grant.isGivenBack()).isTrue();
    }

    @Test
    void s14_aLeaseForWhichMoreTimeIsAskedServesNobodyElse() {
        Lease lease = held().hold().lease();
        Caller next = waiter();
        next.step();
        assertThat(lease.mayBeHandedOff(client.clock.now())).isTrue();
        Duration longer = LEASE.multipliedBy(3);

        lease.noteAsked(longer, Expiry.after(client.clock.now(), longer.toNanos()));

        assertThat(next.wakes).isOne();
        assertThat(lease.mayBeHandedOff(client.clock.now())).isFalse();
        assertThat(lease.won().request().lease()).isEqualTo(longer);
    }

    @Test
    void api_renewalsAndRequestsOfOthersAreReported() {
        Handle held = held();
        events.clear();
        client.clock.advance(Duration.ofMillis(7).toNanos());

        held.hold()
                .lease()
                .renewed(
                        Validity.of(client.clock.now(), LEASE),
                        Duration.ofMillis(3).toNanos());
        store.last().signals.wanted();

        assertThat(events)
                .containsExactly(
                        "renewed " + held.fencingToken() + " after 3", "wanted " + held.fencingToken() + " after 7");
    }

    @Test
    void api_theKeeperLooksWhenAWarningIsDue() {
        Handle held = held(fixed, LEASE);
        Lease lease = held.hold().lease();
        List<String> warned = new ArrayList<>();
        held.warnBefore(Duration.ofSeconds(2), () -> warned.add("warned"));
        long due = usable(grant.validity()).nanoTime() - Duration.ofSeconds(2).toNanos();

        assertThat(lease.nextLook()).isEqualTo(due);
        assertThat(warned).isEmpty();
        client.clock.advance(due - now());

        assertThat(lease.nextLook()).isEqualTo(usable(grant.validity()).nanoTime());
        assertThat(warned).hasSize(1);
    }
}
