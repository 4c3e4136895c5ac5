package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.LockStatus;
import io.github.distlock.ThreadOwnedLock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** S13 where the engine and the views decide: which releases keep a lock, and for how long. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class MinimumHoldTest extends EngineTest {
    private static final Duration MINIMUM = Duration.ofMinutes(10);
    private static final LockOptions OPTIONS = LockOptions.defaults().minimumHold(MINIMUM);

    private final DistributedLock job = client.lock("job", OPTIONS);

    private Optional<LockStatus.Kept> kept(String name) {
        return other.inspector().inspect(name).kept();
    }

    private void expectKept(String name) {
        assertThat(kept(name)).as("%s is kept", name).isPresent();
        assertThat(other.lock(name).tryAcquire()).isEmpty();
        store.advance(MINIMUM);
        assertThat(kept(name)).as("%s is kept after the minimum hold", name).isEmpty();
        other.lock(name).tryAcquire().orElseThrow().close();
    }

    private void expectNotKept(String name) {
        Await.until(name + " is free", () -> {
            LockStatus status = other.inspector().inspect(name);
            return status.holders().isEmpty() && status.kept().isEmpty();
        });
    }

    @ParameterizedTest
    @EnumSource
    void s13_aReleaseKeepsTheLock(Way way) throws Exception {
        LockHandle held = way.acquire(job, LONG).orElseThrow();

        assertThat(held.release()).isEqualTo(Release.RELEASED);

        assertThat(held.state()).isEqualTo(State.RELEASED);
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        expectKept("job");
    }

    @Test
    void s13_eachFormOfReleaseKeepsTheLock() throws Exception {
        job.runLocked(held -> {});
        expectKept("job");

        get(job.acquire().releaseAsync());
        expectKept("job");

        ThreadOwnedLock owned = job.asLock();
        owned.lock();
        owned.unlock();
        expectKept("job");
    }

    @Test
    void s13_theLastReleaseOfAReentrantHoldKeepsTheLock() throws Exception {
        DistributedLock reentrant = job.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();

        inner.close();

        assertThat(kept("job")).isEmpty();
        assertThat(outer.isHeld()).isTrue();
        outer.close();
        expectKept("job");
    }

    @Test
    void s13_eachOfSeveralLocksIsKept() throws Exception {
        client.allOf(List.of("a", "b"), OPTIONS).acquire().close();

        assertThat(kept("a")).isPresent();
        expectKept("b");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC", "TIMED", "TIMED_ASYNC"})
    void s13_anAcquireOfSeveralLocksThatGetsNotAllKeepsNone(Way way) throws Exception {
        LockHandle busy = other.lock("b").acquire();
        DistributedLock all = client.allOf(List.of("a", "b"), OPTIONS);

        assertThat(way.acquire(all, Duration.ofMillis(500))).isEmpty();
        assertThat(all.reentrant().tryAcquire()).isEmpty();

        expectNotKept("a");
        busy.close();
    }

    @Test
    void s13_aHoldThatNobodyTakesKeepsNothing() throws Exception {
        LockHandle busy = other.lock("job").acquire();
        CompletableFuture<LockHandle> canceled = job.acquireAsync();
        Await.until(
                "the acquire waits",
                () -> !other.inspector().inspect("job").waiters().isEmpty());

        canceled.cancel(true);
        busy.close();

        expectNotKept("job");
        expectNothingLeft();
    }

    @Test
    void s13_aLostHoldKeepsNothing() throws Exception {
        LockHandle held = job.acquire();

        store.lose("job");

        assertThat(held.release()).isEqualTo(Release.LOST);
        expectNotKept("job");
    }

    @Test
    void s13_closingTheClientKeepsNoHoldThatIsOpen() throws Exception {
        LockHandle held = job.acquire();

        client.close();

        assertThat(held.state()).isEqualTo(State.LOST);
        expectNotKept("job");
    }

    @Test
    void s13_aHoldThatLastedLongEnoughIsReleasedAsAnyOther() throws Exception {
        LockHandle held = job.acquire();
        store.advance(MINIMUM.plusMinutes(1));

        held.close();

        expectNotKept("job");
        expectNothingLeft();
    }

    @Test
    void s13_theStoreKeepsTheRestOfTheTimeWhateverTheClocksDriftBy() throws Exception {
        LockHandle held = job.acquire();
        store.advance(MINIMUM.dividedBy(2));

        held.close();

        assertThat(kept("job").orElseThrow().remaining())
                .isBetween(MINIMUM.dividedBy(2), MINIMUM.dividedBy(2).plus(MINIMUM.dividedBy(100)));
    }

    @Test
    void s13_aReleaseWithoutAnAnswerKeepsTheLockOnceTheStoreAnswers() throws Exception {
        LockHandle held = job.acquire();
        memory.pause();

        CompletableFuture<Release> released = held.releaseAsync();
        store.advance(Duration.ofSeconds(2));
        memory.resume();

        assertThat(get(released)).isNotEqualTo(Release.LOST);
        Await.until("the lock is kept", () -> kept("job").isPresent());
        expectKept("job");
    }

    @Test
    void s13_aWaiterWithOtherOptionsWaitsAsWell() throws Exception {
        LockHandle held = job.acquire();
        CompletableFuture<LockHandle> next = client.lock("job").acquireAsync();

        held.close();

        store.advance(MINIMUM.dividedBy(2));
        assertThat(next).isNotDone();
        store.advance(MINIMUM.dividedBy(2));
        get(next).close();
        expectNothingLeft();
    }

    @Test
    void s12_aKeptNameIsALock() throws Exception {
        job.acquire().close();

        assertThatThrownBy(() -> other.readWriteLock("job").readLock().tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("read-write lock", "as a lock");
        assertThatThrownBy(() -> other.semaphore("job", 2).permit().tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("semaphore", "as a lock");
        store.advance(MINIMUM);
        other.readWriteLock("job").readLock().acquire().close();
    }

    @Test
    void api_aMinimumHoldOfAReadWriteLockOrASemaphoreIsRefused() {
        refusesMinimum(() -> client.readWriteLock("a", OPTIONS));
        refusesMinimum(() -> client.semaphore("a", 1, OPTIONS));
        try (LockClient keeping = settings().defaultOptions(OPTIONS).build()) {
            refusesMinimum(() -> keeping.readWriteLock("a"));
            refusesMinimum(() -> keeping.semaphore("a", 1));
        }
        assertThat(backend.requests).hasValue(0);
    }

    private static void refusesMinimum(ThrowingCallable call) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining("minimumHold");
    }

    @Test
    void api_aMinimumThatExceedsTheLongestHoldIsRefused() {
        LockOptions hour = LockOptions.defaults().minimumHold(Duration.ofHours(1));
        Duration half = Duration.ofMinutes(30);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> hour.maximumHold(half))
                .withMessageContainingAll("minimumHold", "PT1H", "maximumHold", "PT30M");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> hour.fixedLease(half))
                .withMessageContainingAll("minimumHold", "PT1H", "fixedLease", "PT30M");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockOptions.defaults().maximumHold(half).minimumHold(Duration.ofHours(1)))
                .withMessageContainingAll("minimumHold", "PT1H", "maximumHold", "PT30M");
        assertThat(hour.maximumHold(Duration.ofHours(1))
                        .fixedLease(Duration.ofHours(1))
                        .minimumHold())
                .hasValue(Duration.ofHours(1));
        assertThat(hour.renewedLease(Duration.ofSeconds(10)).fair().minimumHold())
                .hasValue(Duration.ofHours(1));
    }
}
