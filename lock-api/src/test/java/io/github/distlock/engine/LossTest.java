package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A loss is reported once and in time, whatever its holder does, and ends the hold for good. */
class LossTest extends EngineTest {

    @ParameterizedTest
    @EnumSource
    void s6_aLapsedLeaseIsReportedWithinASecond(Way way) throws Exception {
        LockHandle held = way.acquire(lock, LONG).orElseThrow();
        List<LockLoss> losses = losses(held);
        memory.pause();

        store.advance(LEASE);

        // Nobody asks the hold before it is reported: that would end it, too.
        expectLoss(LossReason.EXPIRED, losses);
        assertThat(losses.get(0).lockName()).isEqualTo("a");
        assertThat(losses.get(0).fencingToken()).isEqualTo(held.fencingToken());
        assertThat(losses.get(0).held()).isLessThanOrEqualTo(LEASE.plusSeconds(1));
        assertThat(held.isHeld()).isFalse();
    }

    @Test
    void s6_aHoldLivesAsLongAsLateAnswersProve() throws Exception {
        AtomicReference<Validity> proved = new AtomicReference<>();
        backend.asking = (contender, deadline) -> {
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            proved.set(grant.validity());
            return Attempt.granted(overriding(Grant.class, grant, "latestValidity", proved::get));
        };
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("no answer in time");
        };
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);

        store.advance(Duration.ofSeconds(20));
        proved.set(Validity.of(memory.clock().now(), LEASE));
        store.advance(Duration.ofSeconds(20));

        assertThat(held.isHeld()).isTrue();
        assertThat(losses).isEmpty();
        store.advance(Duration.ofSeconds(10));
        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.EXPIRED, losses);
    }

    /** As after a session has moved to a server that allows shorter sessions only. */
    @Test
    void s6_aShorterValidityOfARenewalEndsTheHoldEarlier() throws Exception {
        AtomicReference<Validity> latest = new AtomicReference<>();
        backend.asking = (contender, deadline) -> {
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            return Attempt.granted(overriding(Grant.class, grant, "latestValidity", latest::get));
        };
        backend.renewing = (due, deadline) -> {
            latest.set(Validity.of(memory.clock().now(), Duration.ofSeconds(5)));
            due.forEach(renewal -> renewal.renewed(latest.get()));
            backend.renewing = (later, unused) -> {
                throw new IllegalStateException("no answer in time");
            };
        };
        LockHandle held = lock.acquire();
        store.advance(LEASE.dividedBy(3));
        Await.until("it is renewed", () -> latest.get() != null);

        store.advance(Duration.ofSeconds(5));

        assertThat(held.isHeld()).isFalse();
    }

    @Test
    void v8_theTimeoutOfARenewalFollowsTheLatestValidity() throws Exception {
        List<Duration> timeouts = new CopyOnWriteArrayList<>();
        Duration first = Duration.ofMillis(600);
        backend.asking = (contender, deadline) -> {
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            Validity shorter = Validity.of(grant.validity().from(), first);
            return Attempt.granted(overriding(Grant.class, grant, "validity", () -> shorter));
        };
        backend.renewing = (due, deadline) -> {
            timeouts.add(Duration.ofNanos(deadline.remainingNanos()));
            due.forEach(renewal -> renewal.renewed(Validity.of(memory.clock().now(), LEASE)));
        };
        LockHandle held = lock.acquire();

        store.advance(first.dividedBy(2));
        store.advance(LEASE.dividedBy(2));

        assertThat(held.isHeld()).isTrue();
        assertThat(timeouts.get(0)).isLessThanOrEqualTo(first.dividedBy(6));
        assertThat(timeouts.get(1)).isGreaterThan(first);
    }

    @Test
    void s6_aListenerThatComesAfterTheLossIsCalled() throws Exception {
        LockHandle held = lock.acquire();
        store.lose("a");
        assertThat(held.state()).isEqualTo(State.LOST);

        List<LockLoss> losses = losses(held);

        expectLoss(LossReason.GONE, losses);
    }

    @Test
    void s8_aLostHoldStaysLost() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        memory.pause();
        store.advance(LEASE);
        assertThat(held.state()).isEqualTo(State.LOST);

        memory.resume();
        store.advance(LEASE);
        assertThat(held.state()).isEqualTo(State.LOST);
        assertThat(held.release()).isEqualTo(Release.LOST);
        held.close();

        assertThat(held.state()).isEqualTo(State.LOST);
        assertThat(held.isHeld()).isFalse();
        assertThat(held.remaining()).isZero();
        assertThatThrownBy(held::ensureHeld).isInstanceOf(LockLostException.class);
        expectLoss(LossReason.EXPIRED, losses);
        expectNothingLeft();
    }

    @Test
    void s8_closingALostHoldThrowsOnce() throws Exception {
        LockHandle held = lock.acquire();
        store.lose("a");

        assertThatThrownBy(held::close).isInstanceOfSatisfying(LockLostException.class, lost -> {
            assertThat(lost.lockName()).isEqualTo("a");
            assertThat(lost.loss().reason()).isEqualTo(LossReason.GONE);
            assertThat(lost.loss().fencingToken()).isEqualTo(held.fencingToken());
        });
        held.close();

        assertThat(held.state()).isEqualTo(State.LOST);
    }

    @Test
    void api_aMaximumHoldEndsByItself() throws Exception {
        LockOptions options = LockOptions.defaults().maximumHold(LEASE.multipliedBy(2));
        LockHandle held = client.lock("a", options).acquire();
        List<LockLoss> losses = losses(held);

        store.advance(LEASE.multipliedBy(2).minusSeconds(10));
        assertThat(held.isHeld()).isTrue();
        store.advance(Duration.ofSeconds(10));

        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.MAXIMUM_HOLD, losses);
        expectNothingLeft();
    }

    @Test
    void s6_aLossIsToldThoughItsHolderDropsTheHandleMeanwhile() throws Exception {
        List<LockLoss> told = new CopyOnWriteArrayList<>();
        CountDownLatch dropped = new CountDownLatch(1);
        CountDownLatch reported = new CountDownLatch(1);
        CapturedLog log = new CapturedLog() {
            @Override
            protected void append(ILoggingEvent event) {
                if (event.getFormattedMessage().contains("was lost")) {
                    reported.countDown();
                    Await.open(dropped);
                }
            }
        };
        try (log) {
            WeakReference<LockHandle> handle = releaseOnceLost(reported, told);
            for (int i = 0; i < 5 && handle.get() != null; i++) {
                System.gc();
            }
            dropped.countDown();
            expectLoss(LossReason.GONE, told);
        }
    }

    private WeakReference<LockHandle> releaseOnceLost(CountDownLatch reported, List<LockLoss> told) throws Exception {
        LockHandle held = lock.acquire();
        held.onLost(told::add);
        new Thread(() -> store.lose("a")).start();
        Await.open(reported);
        assertThat(held.release()).isEqualTo(Release.LOST);
        return new WeakReference<>(held);
    }

    @Test
    void s6_aHoldThatExpiresWhileItIsReleasedIsToldAsLost() throws Exception {
        AtomicReference<Thread> leaping = new AtomicReference<>();
        backend.clock = overriding(LockClock.class, memory.clock(), "now", () -> {
            Moment read = memory.clock().now();
            if (leaping.compareAndSet(Thread.currentThread(), null)) {
                store.jump(Duration.ofHours(1));
            }
            return read;
        });
        LockHandle held = open(settings()).lock("a").acquire();
        List<LockLoss> losses = losses(held);

        // The release reads the clocks once, while the hold lasts.
        leaping.set(Thread.currentThread());
        assertThat(held.release()).isEqualTo(Release.LOST);

        expectLoss(LossReason.EXPIRED, losses);
    }

    /** What a test answers in the place of a grant's {@code hasEnded}. */
    private void answerHasEnded(BooleanSupplier answer) {
        backend.asking = (contender, deadline) -> contender.attempt(deadline) instanceof Attempt.Granted granted
                ? Attempt.granted(overriding(Grant.class, granted.grant(), "hasEnded", answer::getAsBoolean))
                : Attempt.busy(Duration.ofSeconds(1));
    }

    @Test
    void s6_aHoldWhoseGrantHasEndedIsLostAtTheNextLook() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        answerHasEnded(ended::get);
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        assertThat(held.isHeld()).isTrue();

        ended.set(true);

        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.GONE, losses);
    }

    @Test
    void s6_aRenewalThatFindsTheHoldGoneEndsIt() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        store.delete("a");

        store.advance(LEASE.dividedBy(2));

        expectLoss(LossReason.GONE, losses);
        assertThat(held.isHeld()).isFalse();
    }

    @Test
    void s8_aReleaseThatFindsTheHoldGoneReportsTheLoss() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        store.delete("a");

        assertThat(held.release()).isEqualTo(Release.LOST);

        expectLoss(LossReason.GONE, losses);
        assertThat(held.state()).isEqualTo(State.RELEASED);
    }

    @Test
    void s8_aLossBetweenAReleaseAndItsHandoffIsReportedAndTheWaiterAsksTheStore() throws Exception {
        AtomicInteger looks = new AtomicInteger();
        AtomicReference<Thread> releasing = new AtomicReference<>();
        answerHasEnded(() -> {
            // The first look ends the hold, and the second one precedes the handoff.
            if (releasing.get() == Thread.currentThread() && looks.incrementAndGet() == 2) {
                store.lose("a");
            }
            return false;
        });
        DistributedLock lock = open(settings().localHandoff(64, LONG)).lock("a");
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);
        Task<LockHandle> waiter = startWaiting(lock::acquire);

        releasing.set(Thread.currentThread());
        assertThat(held.release()).isEqualTo(Release.LOST);

        expectLoss(LossReason.GONE, losses);
        assertThat(base(get(waiter))).isGreaterThan(base(held));
    }

    /** As with a store that ends holds with a session. */
    @Test
    void s6_aFixedLeaseIsRenewedOnlyWhileTheStoresValidityIsShorter() throws Exception {
        Duration session = Duration.ofSeconds(10);
        AtomicInteger renewals = new AtomicInteger();
        backend.asking = (contender, deadline) -> {
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            Validity brief = Validity.of(grant.validity().from(), session);
            return Attempt.granted(overriding(Grant.class, grant, "validity", () -> brief));
        };
        backend.renewing = (due, deadline) -> {
            renewals.incrementAndGet();
            Moment now = memory.clock().now();
            due.forEach(renewal -> renewal.renewed(Validity.of(now, renewals.get() == 10 ? LONG : session)));
        };
        LockHandle held =
                client.lock("a", LockOptions.defaults().fixedLease(LONG)).acquire();
        List<LockLoss> losses = losses(held);

        store.advance(LONG.dividedBy(2));
        assertThat(held.isHeld()).isTrue();
        store.advance(LONG.dividedBy(2));

        assertThat(losses).extracting(LockLoss::reason).containsExactly(LossReason.LEASE_ENDED);
        assertThat(renewals).as("the tenth answer proves more than the lease").hasValue(10);
    }

    @ParameterizedTest
    @CsvSource({"5, 10, LEASE_ENDED", "10, 5, MAXIMUM_HOLD"})
    void s6_theEarlierLimitEndsAHold(long lease, long maximum, LossReason reason) throws Exception {
        LockOptions options =
                LockOptions.defaults().fixedLease(Duration.ofMinutes(lease)).maximumHold(Duration.ofMinutes(maximum));
        LockHandle held = client.lock("a", options).acquire();
        List<LockLoss> losses = losses(held);

        store.advance(Duration.ofMinutes(4));
        assertThat(losses).isEmpty();
        store.advance(Duration.ofMinutes(1));

        assertThat(losses).extracting(LockLoss::reason).containsExactly(reason);
    }

    /** The client would look at the hold for the first time after a second. */
    @Test
    void s6_theEndOfAShortMaximumHoldIsReportedAtOnce() throws Exception {
        Duration maximum = Duration.ofMillis(300);
        LockHandle held =
                client.lock("a", LockOptions.defaults().maximumHold(maximum)).acquire();
        List<LockLoss> losses = losses(held);

        store.advance(maximum);

        assertThat(losses).extracting(LockLoss::reason).containsExactly(LossReason.MAXIMUM_HOLD);
    }
}
