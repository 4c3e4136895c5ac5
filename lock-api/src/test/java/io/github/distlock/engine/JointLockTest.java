package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several locks as one: all or nothing. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class JointLockTest extends EngineTest {
    private final DistributedLock all = client.allOf(List.of("c", "a", "b", "a"));

    private void expectFree(String... names) {
        for (String name : names) {
            Await.until(
                    name + " is free",
                    () -> other.inspector().inspect(name).holders().isEmpty());
        }
    }

    private List<LockLoss> lossesAfterDeletionOfB(LockHandle held) {
        List<LockLoss> losses = losses(held);
        store.delete("b");
        Await.until("the loss is known", () -> {
            store.advance(Duration.ofSeconds(1));
            return !losses.isEmpty();
        });
        return losses;
    }

    @ParameterizedTest
    @EnumSource
    void s1_allAreHeldUntilTheHandleIsClosed(Way way) throws Exception {
        LockHandle held = way.acquire(all, LONG).orElseThrow();

        assertThat(held.lockNames()).containsExactly("a", "b", "c");
        assertThat(held.lockName()).isEqualTo("a, b, c").isEqualTo(all.name());
        assertThat(held.state()).isEqualTo(State.HELD);
        assertThat(held.remaining()).isPositive();
        held.ensureHeld();
        for (String name : held.lockNames()) {
            assertThat(other.lock(name).tryAcquire()).isEmpty();
        }
        held.close();
        assertThat(held.state()).isEqualTo(State.RELEASED);
        expectFree("a", "b", "c");
        expectNothingLeft();
    }

    @Test
    void s7_ifTheTimeIsOverAfterTheFirstLockNoneIsHeld() throws Exception {
        AtomicLong ahead = new AtomicLong();
        LockClock original = backend.clock;
        backend.clock = overriding(LockClock.class, original, "nanoTime", () -> original.nanoTime() + ahead.get());
        DistributedLock late = open(settings()).allOf(List.of("a", "b"));
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            ahead.addAndGet(Duration.ofSeconds(2).toNanos());
            return answer;
        };

        Optional<LockHandle> held = get(late.tryAcquireAsync(Duration.ofSeconds(1)));

        assertThat(held).isEmpty();
        expectFree("a", "b");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC", "TIMED", "TIMED_ASYNC"})
    void s7_ifOneIsBusyNoneIsHeld(Way way) throws Exception {
        try (LockHandle busy = other.lock("b").acquire()) {
            Optional<LockHandle> refused = way.acquire(all, Duration.ofMillis(500));

            assertThat(refused).isEmpty();
            expectFree("a", "c");
            assertThat(busy.isHeld()).isTrue();
        }
    }

    @Test
    void s7_aWaitHoldsTheLocksBeforeAndAnInterruptGivesThemBack() throws Exception {
        LockHandle busy = other.lock("b").acquire();
        Task<LockHandle> waiter = startWaiting(all::acquire);
        assertThat(other.lock("a").tryAcquire()).isEmpty();

        waiter.thread.interrupt();

        assertFails(waiter).isInstanceOf(InterruptedException.class);
        expectFree("a", "c");
        busy.close();
    }

    @Test
    void s7_aCancelledWaitGivesAllBack() throws Exception {
        LockHandle busy = other.lock("b").acquire();
        CompletableFuture<LockHandle> waiting = all.acquireAsync();
        Await.until("it waits", () -> count("waiting") > 0);

        waiting.cancel(false);

        expectFree("a", "c");
        busy.close();
        expectFree("b");
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "ASYNC"})
    void s2_aLockThatWasLostDuringTheWaitIsAcquiredAgain(Way way) throws Exception {
        LockHandle busy = other.lock("b").acquire();
        Task<LockHandle> waiter = startWaiting(() -> way.acquire(all, LONG).orElseThrow());
        Await.until("a is held", () -> count("acquired") == 1);
        store.delete("a");
        Await.until("the loss is known", () -> {
            store.advance(Duration.ofSeconds(1));
            return count("lost") == 1;
        });

        busy.close();

        LockHandle held = get(waiter);
        assertThat(held.isHeld()).isTrue();
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        held.close();
    }

    @Test
    void s6_theLossOfOneIsTheLossOfAll() throws Exception {
        LockHandle held = all.acquire();
        List<LockLoss> losses = lossesAfterDeletionOfB(held);

        assertThat(losses).extracting(LockLoss::reason).containsExactly(LossReason.GONE);
        assertThat(losses).extracting(LockLoss::lockName).containsExactly("b");
        assertThat(held.state()).isEqualTo(State.LOST);
        assertThat(held.isHeld()).isFalse();
        assertThat(held.remaining()).isZero();
        assertThatThrownBy(held::ensureHeld).isInstanceOf(LockLostException.class);
        assertThatThrownBy(held::close).isInstanceOf(LockLostException.class).hasMessageContaining("\"b\"");
        held.close();
        assertThat(held.release()).isEqualTo(Release.LOST);
        assertThat(get(held.releaseAsync())).isEqualTo(Release.LOST);
        expectFree("a", "b", "c");
    }

    @Test
    void s5_locksAreReleasedInTheReverseOrder() throws Exception {
        LockHandle held = all.acquire();

        assertThat(held.release()).isEqualTo(Release.RELEASED);

        Await.until("three releases", () -> count("released") == 3);
        assertThat(events.stream()
                        .filter(event -> event.kind().equals("released"))
                        .map(event -> event.event().lockName()))
                .containsExactly("c", "b", "a");
    }

    @Test
    void s5_aReleaseIsPendingIfOneIs() throws Exception {
        LockHandle one = all.acquire();
        LockHandle another = client.allOf(List.of("d", "e")).acquire();
        memory.pause();

        assertThat(one.release()).isEqualTo(Release.PENDING);
        assertThat(get(another.releaseAsync())).isEqualTo(Release.PENDING);

        one.close();
        another.close();
        memory.resume();
        expectFree("a", "b", "c", "d", "e");
    }

    @Test
    void s6_aHandleThatWasReleasedClosesWithoutAnError() throws Exception {
        LockHandle held = all.acquire();
        var unused = lossesAfterDeletionOfB(held);

        assertThat(held.release()).isEqualTo(Release.LOST);

        held.close();
    }

    @Test
    void s6_theLossOfOneIsKnownAfterTheReleaseOfTheOthers() throws Exception {
        LockHandle held = all.acquire();
        var unused = lossesAfterDeletionOfB(held);

        held.release();

        assertThat(held.state()).isEqualTo(State.LOST);
        assertThatThrownBy(held::ensureHeld).isInstanceOf(LockLostException.class);
    }

    @Test
    void s6_aLossThatTheReleaseFindsIsKnownAfterIt() throws Exception {
        LockHandle held = all.acquire();
        store.delete("b");

        assertThat(held.release()).isEqualTo(Release.LOST);

        assertThatThrownBy(held::ensureHeld).isInstanceOf(LockLostException.class);
    }

    @Test
    void v4_aTimeToWaitIsOneForAllLocks() throws Exception {
        LockHandle first = other.lock("a").acquire();
        LockHandle second = other.lock("b").acquire();
        Task<Optional<LockHandle>> waiter = startWaiting(() -> all.tryAcquire(LONG));
        long before = count("waiting");
        store.advance(LONG.multipliedBy(9).dividedBy(10));
        first.close();
        Await.until("it waits for the next lock", () -> count("waiting") > before);

        store.advance(LONG.dividedBy(5));

        assertThat(get(waiter)).isEmpty();
        second.close();
        assertThat(all.tryAcquire(Duration.ofSeconds(-1))).isPresent();
    }

    @Test
    void s3_eachNameHasItsToken() throws Exception {
        try (LockHandle held = all.acquire()) {
            assertThat(held.fencingToken("a")).isPositive();
            assertThat(held.fencingToken("c")).isPositive();
            assertThatThrownBy(held::fencingToken)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("fencingToken(lockName)");
            assertThatThrownBy(() -> held.fencingToken("d"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("lockName");
        }
        try (LockHandle one = lock.acquire()) {
            assertThat(one.fencingToken("a")).isEqualTo(one.fencingToken());
            assertThat(one.lockNames()).containsExactly("a");
            assertThatThrownBy(() -> one.fencingToken("b"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("lockName");
        }
    }

    @Test
    void v3_clientsWithTheSameNamesInAnotherOrderDoNotWaitForEachOther() throws Exception {
        DistributedLock reversed = other.allOf(List.of("a", "b", "c"));
        Task<Integer> here = start(() -> rounds(all));
        Task<Integer> there = start(() -> rounds(reversed));

        assertThat(get(here) + get(there)).isEqualTo(200);
    }

    private static int rounds(DistributedLock lock) throws InterruptedException {
        int rounds = 0;
        for (; rounds < 100; rounds++) {
            lock.acquire().close();
        }
        return rounds;
    }

    @Test
    void s4_itsReentrantViewSharesHoldsWithThoseOfItsLocks() throws Exception {
        try (LockHandle outer = all.reentrant().acquire();
                LockHandle inner = client.lock("b").reentrant().acquire()) {
            assertThat(inner.fencingToken()).isEqualTo(outer.fencingToken("b"));
        }
        ThreadOwnedLock owned = all.asLock();
        owned.lock();
        owned.lock();
        owned.unlock();
        assertThat(owned.isHeldByCurrentThread()).isTrue();
        assertThat(onAnotherThread(lock.asLock()::tryLock)).isFalse();
        owned.unlock();
        expectFree("a", "b", "c");
    }

    @Test
    void api_badNamesAreRefusedBeforeAnyRequest() {
        assertThatThrownBy(() -> client.allOf(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("names");
        assertThatThrownBy(() -> client.allOf(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("names");
        assertThatThrownBy(() -> client.allOf(Collections.singletonList(null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("names");
        assertThatThrownBy(() -> client.allOf(Arrays.asList("a", " ")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name");
        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void api_oneNameIsThatLock() throws Exception {
        LockOptions options = LockOptions.defaults().fair();
        DistributedLock one = client.allOf(List.of("a", "a"), options);

        assertThat(one.name()).isEqualTo("a");
        assertThat(one.options()).isEqualTo(options);
        try (LockHandle held = one.acquireUninterruptibly()) {
            assertThat(held.fencingToken()).isPositive();
        }
    }
}
