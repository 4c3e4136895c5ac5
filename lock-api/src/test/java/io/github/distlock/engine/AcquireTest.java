package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Attempt;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** What each way to acquire a lock gives, and after which time at most. */
class AcquireTest extends EngineTest {
    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    /** The fencing base of the first grant. */
    private final AtomicLong firstBase = new AtomicLong();

    @Test
    void api_aHoldKnowsItsLock() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(LONG);
        DistributedLock lock = client.lock("b", options);

        LockHandle held = lock.acquire();

        assertThat(lock.name()).isEqualTo("b");
        assertThat(lock.options()).isEqualTo(options);
        assertThat(held.lockName()).isEqualTo("b");
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
        assertThatCode(held::ensureHeld).doesNotThrowAnyException();
        assertThat(held.remaining()).isPositive().isLessThan(LONG);
    }

    @Test
    void s3_aTokenIsPositiveAndStaysTheSame() throws Exception {
        LockHandle held = lock.acquire();
        long token = held.fencingToken();

        store.advance(LEASE.multipliedBy(2));
        long tokenAfterRenewals = held.fencingToken();
        held.close();

        assertThat(token).isPositive().isEqualTo(tokenAfterRenewals).isEqualTo(held.fencingToken());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_aWaitOfZeroOrLessIsOneTry(long seconds) throws Exception {
        Duration wait = Duration.ofSeconds(seconds);
        LockHandle held = other.lock("a").acquire();

        assertThat(lock.tryAcquire(wait)).isEmpty();
        assertThat(get(lock.tryAcquireAsync(wait))).isEmpty();
        assertThat(backend.requests).hasValue(2);

        held.close();
        lock.tryAcquire(wait).orElseThrow().close();
        get(lock.tryAcquireAsync(wait)).orElseThrow().close();
        expectNothingLeft();
    }

    /** The release can end between the look at the hold and the end of the try. */
    @Test
    void api_aSingleTryBesideAReleaseDoesNotFail() throws Exception {
        for (int i = 0; i < 20_000; i++) {
            LockHandle held = lock.acquire();

            CompletableFuture<LockHandle.Release> released = held.releaseAsync();

            assertThatCode(() -> lock.tryAcquire().ifPresent(LockHandle::close)).doesNotThrowAnyException();
            get(released);
        }
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC"})
    void v6_aSingleTryOfALockThatItsClientHoldsSendsNothing(Way way) throws Exception {
        LockHandle held = lock.acquire();
        int before = backend.requests.get();

        assertThat(way.acquire(lock, LONG)).isEmpty();

        assertThat(backend.requests).hasValue(before);
        held.close();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMED", "TIMED_ASYNC"})
    void api_aWaitMayBeAsLongAsItLikes(Way way) throws Exception {
        LockHandle held = way.acquire(lock, FOREVER).orElseThrow();
        Task<Optional<LockHandle>> waiter = startWaiting(() -> way.acquire(lock, FOREVER));
        store.advance(LONG);
        assertThat(waiter).isNotDone();

        held.close();

        get(waiter).orElseThrow().close();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = "TRY.*")
    void s2_aGrantThatIsTooLateDoesNotCount(Way way) throws Exception {
        DistributedLock patient =
                open(settings().outageTimeout(Duration.ofHours(1))).lock("a");
        onFirstGrant(() -> store.jump(LEASE));

        LockHandle held = way.acquire(patient, LONG).orElseThrow();

        assertThat(base(held)).isGreaterThan(firstBase.get());
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
        held.close();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC"})
    void s2_aTryWhoseGrantIsTooLateFails(Way way) {
        onFirstGrant(() -> store.jump(LEASE));

        assertThatThrownBy(() -> way.acquire(lock, LONG)).isInstanceOf(LockException.class);
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = "TRY.*")
    void s7_aGrantWhoseReplyIsLostIsGrantedOnce(Way way) throws Exception {
        onFirstGrant(this::loseReply);

        LockHandle held = way.acquire(lock, LONG).orElseThrow();

        assertThat(base(held)).isEqualTo(firstBase.get());
        store.advance(LEASE.multipliedBy(2));
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC"})
    void s7_aTryWhoseReplyIsLostLeavesNothing(Way way) {
        onFirstGrant(this::loseReply);

        assertThatThrownBy(() -> way.acquire(lock, LONG)).isInstanceOf(LockException.class);
        expectNothingLeft();
    }

    /** What happens to the reply to the first attempt that the store grants. */
    private void onFirstGrant(Runnable fault) {
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            if (answer instanceof Attempt.Granted granted
                    && firstBase.compareAndSet(0, granted.grant().fencingBase())) {
                fault.run();
            }
            return answer;
        };
    }

    private void loseReply() {
        throw new IllegalStateException("the reply was lost");
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMED", "TIMED_ASYNC"})
    void v4_aTimedAcquireOfABusyLockEndsEmptyInTime(Way way) throws Exception {
        Duration wait = Duration.ofSeconds(5);
        List<LockHandle> holds =
                List.of(other.lock("a").acquire(), client.lock("b").acquire());
        List<Task<Duration>> waiters =
                List.of(startTimed(way, "a", wait), startTimed(way, "a", wait), startTimed(way, "b", wait));

        store.advance(wait);

        assertThat(waiters)
                .allSatisfy(waiter -> assertThat(waiter)
                        .succeedsWithin(LATE, InstanceOfAssertFactories.DURATION)
                        .isGreaterThanOrEqualTo(wait));
        assertThat(holds).allMatch(LockHandle::isHeld);
    }

    /** Tells how long it waited. */
    private Task<Duration> startTimed(Way way, String name, Duration wait) {
        return startWaiting(() -> {
            long begin = store.clock().nanoTime();
            assertThat(way.acquire(client.lock(name), wait)).isEmpty();
            return Duration.ofNanos(store.clock().nanoTime() - begin);
        });
    }

    @ParameterizedTest
    @EnumSource
    void v4_anAcquireFromASilentStoreFailsInTime(Way way) {
        Duration request = Duration.ofSeconds(20);
        Duration outage = Duration.ofSeconds(30);
        DistributedLock asking =
                open(settings().requestTimeout(request).outageTimeout(outage)).lock("a");
        Duration wait = Duration.ofSeconds(10);
        memory.pause();

        Task<Optional<LockHandle>> acquire = start(() -> way.acquire(asking, wait));
        Await.until("the store is asked", () -> backend.requests.get() > 0);
        store.advance(
                switch (way) {
                    case TRY, TRY_ASYNC -> request;
                    case TIMED, TIMED_ASYNC -> wait;
                    case BLOCKING, ASYNC -> outage.plus(request);
                });

        assertFails(acquire)
                .isInstanceOf(LockException.class)
                .extracting("lockName")
                .isEqualTo("a");
    }

    /** Without a message or a heartbeat, a backend may let a waiter ask again after a longer time than the timeout. */
    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "ASYNC"})
    void v4_timeInWhichAWaiterHasNotAskedIsNoOutage(Way way) throws Exception {
        DistributedLock patient =
                open(settings().outageTimeout(Duration.ofSeconds(30))).lock("a");
        AtomicLong asked = new AtomicLong();
        backend.asking = (contender, deadline) -> switch ((int) asked.incrementAndGet()) {
            case 1 -> Attempt.busy(LONG);
            case 2 -> throw new IllegalStateException("the connection has broken");
            default -> contender.attempt(deadline);
        };

        Task<Optional<LockHandle>> acquire = start(() -> way.acquire(patient, LONG));
        Await.until("the waiter is told to wait", () -> asked.get() == 1);
        store.advance(LONG);
        Await.until("the request after the wait has failed", () -> asked.get() >= 2);
        store.advance(Duration.ofSeconds(1));

        acquire.get().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void v4_aWaiterThatComesAfterTheLastBusyAnswerEndsEmpty() throws Exception {
        backend.asking = (contender, deadline) -> Attempt.busy(LONG);
        startWaiting(lock::acquire);
        Await.until("the store has answered", () -> backend.attempts.get() == 1);
        store.advance(Duration.ofSeconds(1));

        Task<Optional<LockHandle>> timed = startWaiting(() -> lock.tryAcquire(Duration.ofSeconds(2)));
        store.advance(Duration.ofSeconds(3));

        assertThat(get(timed)).isEmpty();
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void v4_aStoreThatFailsIsAskedLessAndLessOften() {
        Duration outage = Duration.ofSeconds(30);
        DistributedLock patient = open(settings().outageTimeout(outage)).lock("a");
        backend.asking = (contender, deadline) -> {
            throw new IllegalStateException("planted");
        };

        Task<LockHandle> acquire = startWaiting(patient::acquire);
        store.advance(outage.plusSeconds(1));

        assertFails(acquire).isInstanceOf(LockException.class).hasMessageContaining("planted");
        // Two per second, once the pauses have grown.
        assertThat(backend.attempts.get()).isBetween(5, 150);
    }
}
