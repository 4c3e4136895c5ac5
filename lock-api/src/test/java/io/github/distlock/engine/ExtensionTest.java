package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock.Parker;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S14: a hold lasts for as long as its holder has asked for, and the next one does not inherit that. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about single acquires and releases.
class ExtensionTest extends EngineTest {
    private static final Duration TEN_MINUTES = Duration.ofMinutes(10);
    private static final LockOptions FIXED = LockOptions.defaults().fixedLease(LEASE);

    private final DistributedLock fixed = client.lock("a", FIXED);

    private Duration leftAtTheStore() {
        return other.inspector().inspect("a").holders().get(0).remainingLease();
    }

    private void expectBusy() {
        assertThat(other.lock("a").tryAcquire()).isEmpty();
    }

    /** Returns the leases that renewals ask for from now on. */
    private List<Duration> leasesOfRenewals() {
        List<Duration> leases = new CopyOnWriteArrayList<>();
        backend.renewing = (due, deadline) -> {
            due.forEach(renewal -> leases.add(renewal.lease()));
            memory.renewAll(due, deadline);
        };
        return leases;
    }

    @Test
    void s14_anExtendedFixedLeaseEndsAtItsNewTime() throws Exception {
        LockHandle held = fixed.acquire();
        List<LockLoss> losses = losses(held);

        held.extend(LONG);

        store.advance(LONG.minusSeconds(5));
        assertThat(held.isHeld()).isTrue();
        expectBusy();
        store.advance(Duration.ofSeconds(10));
        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.LEASE_ENDED, losses);
    }

    @Test
    void s14_anExtendedRenewedHoldOutlivesAnOutage() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);

        held.extend(TEN_MINUTES);
        memory.pause();

        store.advance(TEN_MINUTES.minusSeconds(10));
        assertThat(held.isHeld()).isTrue();
        expectBusy();
        store.advance(Duration.ofSeconds(20));
        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.EXPIRED, losses);
    }

    @Test
    void s14_renewalsRepeatThePromiseAndThenHaveTheUsualLeaseAtTheUsualPace() throws Exception {
        LockHandle held = lock.acquire();
        held.extend(Duration.ofMinutes(2));
        List<Duration> leases = leasesOfRenewals();

        store.advance(Duration.ofMinutes(4));

        assertThat(held.state()).isEqualTo(State.HELD);
        assertThat(leases.get(0)).isGreaterThan(Duration.ofSeconds(90));
        assertThat(leases.get(leases.size() - 1)).isEqualTo(LEASE);
        assertThat(leases).allMatch(lease -> lease.compareTo(LEASE) >= 0).hasSizeGreaterThan(20);
    }

    /** Of two readings of a clock that counts milliseconds, each may be up to one too low. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s14_noMillisecondOfTheWallClockIsMissing(boolean renewed) throws Exception {
        LockHandle held = (renewed ? lock : fixed).acquire();
        for (int i = 1; i <= 20; i++) {
            Duration time = LONG.plusSeconds(i).plusNanos(999_999);
            long asked = store.clock().nanoTime();

            held.extend(time);

            Duration left = held.remaining();
            assertThat(left.plusNanos(store.clock().nanoTime() - asked)).isGreaterThanOrEqualTo(time);
        }
    }

    @Test
    void s14_anExtensionNeverShortensAHold() throws Exception {
        LockHandle held =
                client.lock("a", LockOptions.defaults().fixedLease(TEN_MINUTES)).acquire();

        held.extend(Duration.ofSeconds(1));

        assertThat(held.remaining()).isGreaterThan(Duration.ofMinutes(9));
        assertThat(leftAtTheStore()).isGreaterThan(Duration.ofMinutes(9));
    }

    @Test
    void s14_anExtensionWithoutAnAnswerExtendsNothing() throws Exception {
        LockHandle held = fixed.acquire();
        memory.pause();

        assertThatThrownBy(() -> held.extend(LONG))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("not extended by PT1M", "paused");

        assertThat(held.remaining()).isPositive().isLessThan(LEASE);
        assertThat(event("renewalFailed").event().lockName()).isEqualTo("a");
        memory.resume();
        held.extend(LONG);
        assertThat(held.remaining()).isGreaterThan(LEASE);
        assertThat(event("renewed").event().lockName()).isEqualTo("a");
    }

    @Test
    void s14_anExtensionFindsThatTheHoldIsGone() throws Exception {
        LockHandle held = lock.acquire();
        store.delete("a");

        assertThatThrownBy(() -> held.extend(LONG))
                .isInstanceOfSatisfying(
                        LockLostException.class,
                        lost -> assertThat(lost.loss().reason()).isEqualTo(LossReason.GONE));

        assertThat(held.state()).isEqualTo(State.LOST);
        assertThat(store.size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s14_aHoldThatHasEndedCannotBeExtendedOrEnsured(boolean lost) throws Exception {
        LockHandle held = lock.acquire();
        if (lost) {
            store.lose("a");
        } else {
            held.close();
        }
        int before = backend.requests.get();
        Class<? extends Exception> expected = lost ? LockLostException.class : IllegalStateException.class;

        assertThatThrownBy(() -> held.extend(LONG)).isInstanceOf(expected);
        assertThatThrownBy(() -> held.ensure(LONG)).isInstanceOf(expected);

        assertThat(backend.requests).hasValue(before);
    }

    @Test
    void api_aTimeThatCannotBeHadIsRefusedBeforeAnythingIsSent() throws Exception {
        LockHandle held =
                client.lock("a", FIXED.maximumHold(Duration.ofMinutes(2))).acquire();
        int before = backend.requests.get();

        refuses(() -> held.extend(Duration.ZERO), "positive", "PT0S");
        refuses(() -> held.ensure(Duration.ofSeconds(-1)), "positive", "PT-1S");
        refuses(() -> held.warnBefore(Duration.ZERO, () -> {}), "positive", "PT0S");
        refuses(() -> held.extend(Duration.ofHours(24)), "at most PT22H33M36S on this store", "PT24H");
        refuses(() -> held.extend(Duration.ofMinutes(3)), "at most PT1M5", "maximum hold", "PT3M");
        refuses(() -> held.ensure(LONG), "at most PT28.2S", "PT30S", "PT1M");

        assertThat(backend.requests).hasValue(before);
    }

    private static void refuses(ThrowingCallable call, String... words) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContainingAll(words);
    }

    @Test
    void s14_aMaximumHoldEndsAnExtendedHold() throws Exception {
        LockHandle held = client.lock("a", FIXED.maximumHold(LONG)).acquire();
        List<LockLoss> losses = losses(held);

        held.extend(Duration.ofSeconds(58));
        store.advance(LONG.plusSeconds(1));

        assertThat(held.isHeld()).isFalse();
        expectLoss(LossReason.LEASE_ENDED, losses);
        LockHandle renewed =
                client.lock("b", LockOptions.defaults().maximumHold(LONG)).acquire();
        List<LockLoss> later = losses(renewed);
        renewed.extend(Duration.ofSeconds(58));
        store.advance(LONG.plusSeconds(1));
        expectLoss(LossReason.MAXIMUM_HOLD, later);
    }

    // The next holder

    /** Returns a client that may hand each lease on for a minute. */
    private LockClient handingOn() {
        return open(settings().localHandoff(64, LONG));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s14_anExtendedLeaseGoesBackToTheStore(boolean answered) throws Exception {
        DistributedLock handedOn = handingOn().lock("a");
        LockHandle held = handedOn.acquire();
        Task<LockHandle> waiter = startWaiting(handedOn::acquire);

        extend(held, answered);
        held.close();

        LockHandle next = get(waiter);
        assertThat(base(next)).isGreaterThan(base(held));
        assertThat(next.remaining()).isLessThan(LEASE);
        assertThat(leftAtTheStore()).isLessThanOrEqualTo(LEASE);
    }

    /** Extends a hold. The store does so even if it does not answer. */
    private void extend(LockHandle held, boolean answered) {
        if (answered) {
            held.extend(TEN_MINUTES);
            return;
        }
        backend.renewing = (due, deadline) -> {
            memory.renewAll(due.stream().map(Unanswered::new).toList(), deadline);
            throw new IllegalStateException("the answer is lost");
        };
        assertThatThrownBy(() -> held.extend(TEN_MINUTES)).hasMessageContaining("the answer is lost");
        assertThat(leftAtTheStore()).isGreaterThan(Duration.ofMinutes(9));
    }

    private record Unanswered(Renewal asked) implements Renewal {
        @Override
        public Grant grant() {
            return asked.grant();
        }

        @Override
        public Duration lease() {
            return asked.lease();
        }

        @Override
        public void renewed(Validity validity) {}

        @Override
        public void gone() {}

        @Override
        public void unknown(Throwable cause) {}
    }

    @Test
    void s14_aReaderDoesNotJoinAnExtendedLease() throws Exception {
        DistributedReadWriteLock locks = handingOn().readWriteLock("a");
        LockHandle held = locks.readLock().acquire();
        held.extend(TEN_MINUTES);

        LockHandle second = get(locks.readLock().acquireAsync());

        assertThat(base(second)).isGreaterThan(base(held));
        assertThat(second.remaining()).isLessThan(LEASE);
    }

    @Test
    void s14_anExtendedStickyHoldIsNotKept() throws Exception {
        LockHandle held = client.lock("a", LockOptions.defaults().sticky()).acquire();
        held.extend(TEN_MINUTES);

        held.close();

        assertThat(store.size()).isZero();
    }

    @Test
    void s14_aDowngradedHoldHasAUsualLease() throws Exception {
        DistributedReadWriteLock locks = client.readWriteLock("a");
        LockHandle writing = locks.writeLock().acquire();
        writing.extend(TEN_MINUTES);

        LockHandle reading = locks.downgrade(writing);

        assertThat(reading.remaining()).isLessThan(LEASE);
        assertThat(leftAtTheStore()).isLessThanOrEqualTo(LEASE);
        store.advance(LONG);
        assertThat(reading.state()).isEqualTo(State.HELD);
    }

    @Test
    void s7_cleanupOfAnExtendedHoldLastsAsLongAsTheStoreKeepsIt() throws Exception {
        LockHandle held = fixed.acquire();
        held.extend(TEN_MINUTES);
        memory.pause();

        assertThat(held.release()).isEqualTo(Release.PENDING);
        store.advance(Duration.ofMinutes(5));
        memory.resume();

        store.advance(Duration.ofSeconds(10));
        expectNothingLeft();
    }

    // A store without longer leases

    private LockClient withoutLongerLeases() {
        EnumSet<Capability> capabilities = EnumSet.allOf(Capability.class);
        capabilities.remove(Capability.CHANGE_LEASE);
        backend.capabilities = capabilities;
        return open(settings());
    }

    @Test
    void s14_aStoreWithoutLongerLeasesExtendsAsFarAsAUsualRenewalProves() throws Exception {
        LockHandle held = withoutLongerLeases().lock("a", FIXED).acquire();
        store.advance(Duration.ofSeconds(20));
        List<Duration> leases = leasesOfRenewals();

        held.extend(Duration.ofSeconds(25));

        assertThat(leases).containsExactly(LEASE);
        store.advance(Duration.ofSeconds(20));
        assertThat(held.isHeld()).isTrue();
        refuses(() -> held.extend(LONG), "at most PT28.2S on this store", "PT1M");
    }

    @Test
    void s14_lessThanWasAskedForIsNoExtension() throws Exception {
        LockHandle held = withoutLongerLeases().lock("a", FIXED).acquire();
        backend.renewing = (due, deadline) -> due.forEach(
                renewal -> renewal.renewed(Validity.of(backend.clock().now(), Duration.ofSeconds(10))));

        assertThatThrownBy(() -> held.extend(Duration.ofSeconds(20)))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("not extended by PT20S", "for no longer than PT9.");
    }

    // Ensured validity

    @Test
    void s14_enoughValidityNeedsNoRequest() throws Exception {
        LockHandle held = lock.acquire();
        int before = backend.requests.get();

        held.ensure(Duration.ofSeconds(25));

        assertThat(backend.requests).hasValue(before);
    }

    @Test
    void s14_tooLittleValidityIsRenewedOnce() throws Exception {
        LockHandle held = lock.acquire();
        store.advance(Duration.ofSeconds(8));
        int before = backend.requests.get();

        held.ensure(Duration.ofSeconds(25));

        assertThat(backend.requests).hasValue(before + 1);
        assertThat(held.remaining()).isGreaterThan(Duration.ofSeconds(24));
        assertThat(leftAtTheStore()).isGreaterThan(Duration.ofSeconds(24));
    }

    @Test
    void s14_aRenewalUnderWayIsJoined() throws Exception {
        AtomicBoolean hangs = new AtomicBoolean(true);
        backend.renewing = (due, deadline) -> {
            try (Parker parker = backend.clock().parker()) {
                while (hangs.get()) {
                    parker.parkUntil(backend.clock().nanoTime() + 1_000_000);
                }
            }
            memory.renewAll(due, deadline);
        };
        LockHandle held = lock.acquire();
        int before = backend.requests.get();
        store.advance(Duration.ofSeconds(5));
        ((Handle) held).hold().lease().renewWhatIsProvedBefore(store.clock().nanoTime());
        Await.until("a renewal is under way", () -> backend.requests.get() == before + 1);
        Task<Boolean> ensuring = start(() -> {
            held.ensure(Duration.ofSeconds(26));
            return true;
        });

        Await.until("the holder waits", () -> ensuring.thread.getState() == Thread.State.TIMED_WAITING);
        hangs.set(false);

        assertThat(get(ensuring)).isTrue();
        assertThat(backend.requests).hasValue(before + 1);
    }

    @Test
    void s14_validityThatIsNotConfirmedIsNotEnsured() throws Exception {
        LockHandle held = lock.acquire();
        store.advance(Duration.ofSeconds(5));
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("no answer");
        };

        assertThatThrownBy(() -> held.ensure(Duration.ofSeconds(25)))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("not valid for PT25S", "no answer");

        assertThat(held.isHeld()).isTrue();
    }

    @Test
    void s14_aFixedLeaseEnsuresNoMoreThanItsRest() throws Exception {
        LockHandle held = fixed.acquire();
        store.advance(Duration.ofSeconds(15));
        int before = backend.requests.get();

        assertThatThrownBy(() -> held.ensure(Duration.ofSeconds(20)))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("not valid for PT20S", "it ends in PT1", "fixed lease");

        assertThat(backend.requests).hasValue(before);
        held.extend(LONG);
        held.ensure(Duration.ofSeconds(50));
    }

    // Views

    @Test
    void s14_aReentrantHandleExtendsTheHold() throws Exception {
        DistributedLock reentrant = lock.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();

        inner.extend(TEN_MINUTES);
        inner.ensure(Duration.ofMinutes(9));
        inner.close();

        assertThat(outer.remaining()).isGreaterThan(Duration.ofMinutes(9));
        assertThatIllegalStateException().isThrownBy(() -> inner.extend(LONG));
        assertThatIllegalStateException().isThrownBy(() -> inner.ensure(LONG));
        outer.close();
    }

    @Test
    void s14_eachOfSeveralLocksIsExtended() throws Exception {
        LockHandle all = client.allOf(List.of("a", "b")).acquire();

        all.extend(TEN_MINUTES);
        all.ensure(Duration.ofMinutes(9));

        assertThat(all.remaining()).isGreaterThan(Duration.ofMinutes(9));
        all.close();
    }

    /** Lets time pass before a renewal of this thread reaches the store. Their count begins with 1. */
    private void delayOwnRenewals(IntPredicate isDelayed, Duration time) {
        Thread own = Thread.currentThread();
        AtomicInteger count = new AtomicInteger();
        backend.renewing = (due, deadline) -> {
            if (Thread.currentThread() == own && isDelayed.test(count.incrementAndGet())) {
                store.advance(time);
            }
            memory.renewAll(due, deadline);
        };
    }

    @Test
    void s14_timeThatTheRenewalOfALaterLockHasTakenIsRenewed() throws Exception {
        LockHandle all = client.allOf(List.of("a", "b")).acquire();
        store.advance(Duration.ofSeconds(4));
        delayOwnRenewals(count -> count == 2, Duration.ofSeconds(4));

        all.ensure(Duration.ofSeconds(25));

        assertThat(all.remaining()).isGreaterThanOrEqualTo(Duration.ofSeconds(25));
    }

    @Test
    void s14_renewalsOfSeveralLocksThatTakeTooLongEnsureNothing() throws Exception {
        LockHandle all = client.allOf(List.of("a", "b")).acquire();
        // So the keeper renews nothing meanwhile, which it does no earlier than after 8 s.
        Duration brief = Duration.ofMillis(2_500);
        store.advance(brief);
        delayOwnRenewals(count -> true, brief);

        assertThatThrownBy(() -> all.ensure(Duration.ofSeconds(26)))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("not valid for PT26S", "have taken too long");

        assertThat(all.isHeld()).isTrue();
    }
}
