package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** S15 where the engine and the views decide: which ends of holds keep a lock, and for how long. */
class LockDelayTest extends EngineTest {
    private static final Duration DELAY = Duration.ofSeconds(40);
    private static final Duration MOST = Duration.ofSeconds(5);
    /** Longer than a busy machine takes. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final LockOptions OPTIONS = LockOptions.defaults().lockDelay(DELAY);

    private final DistributedLock delayed = client.lock("a", OPTIONS);

    private Optional<LockStatus.Kept> kept(String name) {
        return other.inspector().inspect(name).kept();
    }

    /** The clock of the store also runs while the test does. */
    private void expectKeptForDelay() {
        Await.until("the lock is kept", () -> kept("a").isPresent());
        assertThat(kept("a").orElseThrow().remaining())
                .isBetween(DELAY.minus(PATIENCE), DELAY.plus(DELAY.dividedBy(100)));
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        store.advance(DELAY.minus(PATIENCE.multipliedBy(2)));
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        store.advance(PATIENCE.multipliedBy(2).plusSeconds(1));
        other.lock("a").tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource
    void s15_aReleaseFreesTheLockAtOnce(Way way) throws Exception {
        LockHandle held = way.acquire(delayed, LONG).orElseThrow();

        assertThat(held.release()).isEqualTo(Release.RELEASED);

        other.lock("a").tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void s15_aReleaseHandsTheLockToALocalWaiterAtOnce() throws Exception {
        LockHandle held = delayed.acquire();
        Task<LockHandle> waiter = startWaiting(delayed::acquire);

        held.close();

        LockHandle next = get(waiter);
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        next.close();
        expectNothingLeft();
    }

    @Test
    void s15_theLastReleaseOfAReentrantHoldFreesTheLockAtOnce() throws Exception {
        DistributedLock reentrant = delayed.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();

        inner.close();
        assertThat(outer.isHeld()).isTrue();
        outer.close();

        other.lock("a").tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void s15_aHoldThatIsOverItsMaximumKeepsTheLockForItsDelay() throws Exception {
        List<LockLoss> losses =
                losses(client.lock("a", OPTIONS.maximumHold(MOST)).acquire());

        store.advance(MOST);

        expectLoss(LossReason.MAXIMUM_HOLD, losses);
        expectKeptForDelay();
    }

    @Test
    void s15_aFixedLeaseThatHasEndedKeepsTheLockForItsDelay() throws Exception {
        LockHandle held = client.lock("a", OPTIONS.fixedLease(MOST)).acquire();

        List<LockLoss> losses = losses(held);

        store.advance(held.remaining());

        expectLoss(LossReason.LEASE_ENDED, losses);
        expectKeptForDelay();
    }

    @Test
    void s15_anExtendedHoldThatIsOverItsMaximumKeepsTheLockForItsDelay() throws Exception {
        LockHandle held =
                client.lock("a", OPTIONS.maximumHold(LONG.multipliedBy(2))).acquire();
        List<LockLoss> losses = losses(held);
        held.extend(LONG);

        store.advance(LONG.multipliedBy(2));

        expectLoss(LossReason.MAXIMUM_HOLD, losses);
        expectKeptForDelay();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s15_aClosedClientsHoldKeepsTheLockForItsDelay(boolean extended) throws Exception {
        LockHandle held = delayed.acquire();
        if (extended) {
            held.extend(LONG);
        }

        client.close();

        assertThat(held.state()).isEqualTo(State.LOST);
        expectKeptForDelay();
    }

    @Test
    void s15_aDroppedHandleKeepsTheLockForItsDelayAndIsNotHandedOn() throws Exception {
        long token = drop();
        CompletableFuture<LockHandle> waiter = delayed.acquireAsync();

        try (CapturedLog log = CapturedLog.of(client.name())) {
            // Time must not pass while the log is slow: the lock is kept for a limited time.
            Await.until("the leak is noticed", () -> {
                System.gc();
                store.advance(Duration.ofMillis(250));
                return count("leaked") > 0;
            });
            Await.until("the leak is logged", () -> !log.at(Level.ERROR).isEmpty());

            assertThat(log.at(Level.ERROR).get(0))
                    .contains("handle was dropped", "stays busy for its lock delay of PT40S");
        }
        assertThat(event("leaked").event().fencingToken()).isEqualTo(token);
        Await.until("the lock is kept", () -> kept("a").isPresent());
        assertThat(waiter).isNotDone();
        assertThat(count("lost")).isZero();
        store.advance(DELAY.plusSeconds(2));
        get(waiter).close();
        expectNothingLeft();
    }

    private long drop() throws Exception {
        return delayed.acquire().fencingToken();
    }

    @Test
    void s15_theDelayCountsFromTheLossHoweverLateTheStoreLearnsOfIt() throws Exception {
        LockHandle held = client.lock("a", OPTIONS.maximumHold(MOST)).acquire();
        store.advance(MOST.minusSeconds(1));
        memory.pause();
        store.advance(Duration.ofSeconds(1).plus(DELAY.dividedBy(2)));
        assertThat(held.state()).isEqualTo(State.LOST);

        memory.resume();
        store.advance(Duration.ofSeconds(1));

        Await.until("the lock is kept", () -> kept("a").isPresent());
        assertThat(kept("a").orElseThrow().remaining())
                .isLessThanOrEqualTo(DELAY.dividedBy(2).plus(DELAY.dividedBy(100)));
    }

    /** The client trusts a lease for a shorter time than the store keeps it. */
    @ParameterizedTest
    @ValueSource(ints = {95, 101})
    void s15_aGrantThatComesTooLateHasNoDelay(int percentOfLease) throws Exception {
        Duration lease = Duration.ofMinutes(20);
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            store.jump(lease.multipliedBy(percentOfLease).dividedBy(100));
            return answer;
        };

        assertThatThrownBy(client.lock("a", OPTIONS.renewedLease(lease))::tryAcquire)
                .isInstanceOf(LockException.class);

        Await.until("the lock is free", () -> {
            LockStatus status = other.inspector().inspect("a");
            return status.holders().isEmpty() && status.kept().isEmpty();
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC", "TIMED", "TIMED_ASYNC"})
    void s15_anAcquireOfSeveralLocksThatGetsNotAllKeepsNone(Way way) throws Exception {
        LockHandle busy = other.lock("b").acquire();
        DistributedLock all = client.allOf(List.of("a", "b"), OPTIONS);

        assertThat(way.acquire(all, Duration.ofMillis(500))).isEmpty();

        Await.until("the first lock is free", () -> {
            LockStatus status = other.inspector().inspect("a");
            return status.holders().isEmpty() && status.kept().isEmpty();
        });
        busy.close();
    }

    @Test
    void s15_aDeletedHoldHasNoDelay() throws Exception {
        LockHandle held = delayed.acquire();

        store.lose("a");

        assertThat(held.state()).isEqualTo(State.LOST);
        other.lock("a").tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void s13_aMinimumHoldCountsForAReleaseAndTheDelayForALoss() throws Exception {
        LockOptions both = OPTIONS.minimumHold(Duration.ofMinutes(2));
        client.lock("a", both).acquire().close();
        assertThat(kept("a").orElseThrow().remaining()).isGreaterThan(DELAY);
        store.advance(Duration.ofMinutes(2));

        LockHandle held =
                client.lock("a", both.fixedLease(Duration.ofMinutes(2))).acquire();
        store.advance(held.remaining());

        expectKeptForDelay();
    }

    @Test
    void api_aLockDelayOfAReadWriteLockOrASemaphoreIsRefused() {
        refuses(() -> client.readWriteLock("a", OPTIONS), "lockDelay", "read-write locks", "PT40S");
        refuses(() -> client.semaphore("a", 1, OPTIONS), "lockDelay", "semaphores", "PT40S");
        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void api_aStoreWithoutLockDelaysRefusesThem() {
        EnumSet<Capability> others = EnumSet.allOf(Capability.class);
        others.remove(Capability.LOCK_DELAY);
        backend.capabilities = others;

        refuses(() -> client.lock("a", OPTIONS), "lock delays", "LOCK_DELAY");
        refuses(() -> client.allOf(List.of("a", "b"), OPTIONS), "lock delays", "LOCK_DELAY");
        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void api_aLeaseThatIsTooLongWithItsLockDelayIsRefused() {
        LockOptions longest = OPTIONS.renewedLease(Duration.ofHours(24));

        refuses(() -> client.lock("a", longest), "lease and lockDelay together", "PT24H", "PT24H40S");
        assertThat(client.lock("a", longest.renewedLease(Duration.ofHours(24).minus(DELAY))))
                .isNotNull();
    }

    @Test
    void api_anExtensionLeavesRoomForTheLockDelay() throws Exception {
        LockHandle held = delayed.acquire();

        refuses(() -> held.extend(Duration.ofHours(24)), "at most PT22H32M58.4S on this store", "PT24H");
        held.extend(Duration.ofSeconds(81_178));

        assertThat(held.remaining()).isGreaterThan(Duration.ofSeconds(81_178).minus(PATIENCE));
        held.close();
    }

    @Test
    void api_lockDelaysOutOfBoundsAndOfStickyLocksAreRefused() {
        for (Duration wrong : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(61))) {
            refuses(() -> LockOptions.defaults().lockDelay(wrong), "time", wrong.toString());
        }
        refuses(() -> OPTIONS.sticky(), "sticky", "lockDelay");
        refuses(() -> LockOptions.defaults().sticky().lockDelay(DELAY), "sticky", "lockDelay");
    }

    @Test
    void api_otherOptionsKeepTheLockDelay() {
        LockOptions all = OPTIONS.fair()
                .renewedLease(Duration.ofSeconds(10))
                .maximumHold(Duration.ofMinutes(1))
                .minimumHold(Duration.ofSeconds(1));

        assertThat(all.lockDelay()).hasValue(DELAY);
        assertThat(all.fixedLease(Duration.ofSeconds(10)).lockDelay()).hasValue(DELAY);
        assertThat(all).hasToString("renewed lease of PT10S, fair, at most PT1M, at least PT1S, lock delay of PT40S");
        assertThat(OPTIONS)
                .isEqualTo(LockOptions.defaults().lockDelay(DELAY))
                .hasSameHashCodeAs(LockOptions.defaults().lockDelay(DELAY))
                .isNotEqualTo(LockOptions.defaults());
        assertThat(LockOptions.defaults().lockDelay()).isEmpty();
    }

    private static void refuses(ThrowingCallable call, String... words) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContainingAll(words);
    }
}
