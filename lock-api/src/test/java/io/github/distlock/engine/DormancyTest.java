package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.ManualClock;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A sticky lease between two holders, one step after the other. */
class DormancyTest {
    private static final LockOptions STICKY = LockOptions.defaults().sticky();
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final ThreadlessEngine client = new ThreadlessEngine(new NoStore(), new Journal());
    private final ManualClock clock = client.clock;
    private final StickyGrant grant = new StickyGrant();
    private final Patience patience = Patience.untilHeld(HoldLincheckTest.SETTINGS, clock);

    /** A grant whose client hears others, or no longer. */
    private final class StickyGrant implements Grant {
        private boolean hears = true;
        private Runnable hearing = () -> {};
        private int releases;
        private Runnable releasing = () -> {};

        @Override
        public boolean hearsOthers() {
            hearing.run();
            return hears;
        }

        @Override
        public long fencingBase() {
            return 7;
        }

        @Override
        public Validity validity() {
            return Validity.of(clock.now(), STICKY.lease());
        }

        @Override
        public Release release(Deadline deadline) {
            releases++;
            releasing.run();
            return Release.RELEASED;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            throw new UnsupportedOperationException("no lock here has a minimum hold");
        }
    }

    private LockKey key(LockOptions options) {
        return new LockKey("lock", LockMode.EXCLUSIVE, options);
    }

    private Lease granted(LockOptions options) {
        LocalQueue queue = client.queues.get(key(options));
        LocalQueueLincheckTest.Waiter first = waiter(options, false);
        QueueEntry entry = queue.claim(first, clock.nanoTime()).entry();
        Lease lease = queue.granted(entry, first, grant);
        first.settle(new Outcome.Offered(lease.offer()));
        return lease;
    }

    private LocalQueueLincheckTest.Waiter waiter(LockOptions options, boolean once) {
        LocalQueueLincheckTest.Waiter waiter = new LocalQueueLincheckTest.Waiter(key(options), client, once);
        waiter.enter();
        return waiter;
    }

    private Dormancy begun() {
        Dormancy dormancy = granted(STICKY).dormancy;
        assertThat(dormancy.begin(clock.now())).isTrue();
        assertThat(dormancy.isNow()).isTrue();
        assertThat(client.keeper.holdsNothing()).isTrue();
        return dormancy;
    }

    private void expectReleases(int releases) {
        clock.runAll();
        assertThat(grant.releases).as("releases").isEqualTo(releases);
    }

    @Test
    void v11_onlyAStickyLeaseWhoseClientHearsOthersBecomesDormant() {
        Dormancy usual = granted(LockOptions.defaults()).dormancy;
        grant.hears = false;
        Dormancy deaf = granted(STICKY).dormancy;

        for (Dormancy dormancy : new Dormancy[] {usual, deaf}) {
            assertThat(dormancy.isPossible()).isFalse();
            assertThat(dormancy.begin(clock.now())).isFalse();
            assertThat(dormancy.mustGoBack()).isFalse();
            assertThat(dormancy.maxHandoffs(HoldLincheckTest.SETTINGS)).isEqualTo(64);
            assertThat(dormancy.handoffTime(HoldLincheckTest.SETTINGS))
                    .isEqualTo(HoldLincheckTest.SETTINGS.handoffTime());
        }
    }

    @Test
    void v11_theNextAcquireTakesADormantLeaseOnce() {
        Dormancy dormancy = begun();
        assertThat(dormancy.isPossible()).isTrue();
        assertThat(dormancy.maxHandoffs(HoldLincheckTest.SETTINGS)).isEqualTo(255);
        assertThat(dormancy.handoffTime(HoldLincheckTest.SETTINGS)).isEqualTo(10 * SECOND);

        assertThat(dormancy.endForAcquire(patience)).isTrue();

        assertThat(dormancy.isNow()).isFalse();
        assertThat(dormancy.goesBack()).isFalse();
        assertThat(dormancy.endForAcquire(patience)).isFalse();
        expectReleases(0);
    }

    @Test
    void s1_oneOfTwoAcquiresAtOnceTakesADormantLease() {
        Dormancy dormancy = begun();
        List<Boolean> taken = new ArrayList<>();
        grant.hearing = () -> {
            grant.hearing = () -> {};
            taken.add(dormancy.endForAcquire(patience));
        };

        taken.add(dormancy.endForAcquire(patience));

        assertThat(taken).containsExactly(true, false);
    }

    @Test
    void v11_aLeaseWhoseClientNoLongerHearsOthersGoesBackBeforeTheAcquireAsks() {
        Lease lease = granted(STICKY);
        assertThat(lease.dormancy.begin(clock.now())).isTrue();
        assertThat(lease.dormancy.mustGoBack()).isFalse();
        grant.hears = false;
        assertThat(lease.dormancy.mustGoBack()).isTrue();
        List<Boolean> whileReleasing = new ArrayList<>();
        grant.releasing = () -> {
            whileReleasing.add(lease.dormancy.goesBack());
            whileReleasing.add(client.queues.get(key(STICKY)).holds().findAny().isPresent());
        };

        assertThat(lease.dormancy.endForAcquire(patience)).isFalse();

        assertThat(whileReleasing).startsWith(true);
        assertThat(lease.hasExpired()).isTrue();
        assertThat(client.isUnused()).isTrue();
        expectReleases(1);
    }

    @Test
    void v11_aTrySleepsWhileADormantLeaseGoesBackAndIsWokenAfterwards() {
        Dormancy dormancy = begun();
        LocalQueueLincheckTest.Waiter single = waiter(STICKY, true);
        grant.hears = false;
        List<Long> looks = new ArrayList<>();
        grant.releasing = () -> {
            looks.add(step(single));
            single.woken = false;
        };

        assertThat(dormancy.endForAcquire(patience)).isFalse();

        assertThat(looks).containsExactly(clock.nanoTime() + HoldLincheckTest.SETTINGS.requestTimeout());
        assertThat(single.woken).isTrue();
        assertThat(single.hasOutcome()).isFalse();
    }

    private static @Nullable Long step(Acquisition acquire) {
        try {
            return acquire.advance();
        } catch (InterruptedException e) {
            return null;
        }
    }

    @Test
    void v11_aDormantLeaseGoesBackAfterASecondAndNoEarlier() {
        Dormancy dormancy = begun();
        long begun = clock.nanoTime();

        assertThat(dormancy.endIfOver(begun)).isEqualTo(begun + SECOND);
        clock.advance(SECOND - 1);
        assertThat(dormancy.endIfOver(clock.nanoTime())).isEqualTo(begun + SECOND);
        expectReleases(0);
        clock.advance(1);
        assertThat(dormancy.endIfOver(clock.nanoTime())).isEqualTo(begun + 2 * SECOND);
        assertThat(dormancy.endIfOver(clock.nanoTime())).isEqualTo(begun + 2 * SECOND);
        assertThat(dormancy.isNow()).as("until its release begins").isTrue();

        expectReleases(1);
        assertThat(client.isUnused()).isTrue();
    }

    @Test
    void v11_aLeaseWithAHolderDoesNotGoBack() {
        Dormancy dormancy = begun();
        assertThat(dormancy.endForAcquire(patience)).isTrue();
        clock.advance(SECOND / 2);
        long now = clock.nanoTime();

        assertThat(dormancy.endIfOver(now)).isEqualTo(now + SECOND);
        assertThat(dormancy.endIfOver(now + SECOND)).isEqualTo(now + 2 * SECOND);

        expectReleases(0);
    }

    @Test
    void v11_aDormantLeaseGoesBackWhenAnotherClientWantsIt() {
        Lease lease = granted(STICKY);
        assertThat(lease.dormancy.begin(clock.now())).isTrue();

        lease.hints.wanted();

        assertThat(lease.dormancy.mustGoBack()).isTrue();
        expectReleases(1);
        assertThat(client.isUnused()).isTrue();
    }

    @Test
    void v11_anAcquireThatIsFasterThanTheReleaseOfADormantLeaseTakesIt() {
        Dormancy dormancy = begun();
        assertThat(dormancy.endIfOver(clock.nanoTime() + SECOND)).isPositive();

        assertThat(dormancy.endForAcquire(patience)).isTrue();

        expectReleases(0);
        assertThat(dormancy.begin(clock.now())).isTrue();
        assertThat(dormancy.endIfOver(clock.nanoTime() + SECOND)).isPositive();
        expectReleases(1);
    }

    @Test
    void v3_aLeaseIsNotKeptFromALocalWaiterThatHasCome() {
        Lease lease = granted(STICKY);
        LocalQueueLincheckTest.Waiter next = waiter(STICKY, false);
        assertThat(lease.dormancy.begin(clock.now())).isFalse();
        assertThat(lease.dormancy.isNow()).isFalse();
        next.woken = false;

        lease.hints.wanted();

        assertThat(next.woken).as("the head asks the store").isTrue();
        assertThat(lease.dormancy.begin(clock.now())).isFalse();
        expectReleases(0);
    }
}
