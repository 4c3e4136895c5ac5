package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** V11 where the engine decides: how long a client keeps a sticky lock without a holder, and which client gets it. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about single acquires and releases.
class StickyTest extends EngineTest {
    private static final LockOptions STICKY = LockOptions.defaults().sticky();
    private static final Duration PAUSE = Duration.ofMillis(400);
    private static final Duration DORMANT = Duration.ofSeconds(1);

    private final DistributedLock sticky = client.lock("a", STICKY);

    private static long handoffs(LockHandle held) {
        return held.fencingToken() & 255;
    }

    @CanIgnoreReturnValue
    private LockHandle acquireAndRelease() throws InterruptedException {
        LockHandle held = sticky.acquire();
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        return held;
    }

    /** For the next client, no time passes, and the second of a dormant hold never ends. */
    private void stopClock() {
        long now = store.clock().nanoTime();
        backend.clock = overriding(LockClock.class, backend.clock, "nanoTime", () -> now);
    }

    private void awaitFree() {
        Await.until("the store has no hold", () -> store.size() == 0);
    }

    @ParameterizedTest
    @EnumSource
    void v11_s3_aReacquireAsksNothingAndHasTheNextToken(Way way) throws Exception {
        LockHandle first = acquireAndRelease();
        int before = backend.requests.get();

        LockHandle second = way.acquire(sticky, LONG).orElseThrow();

        assertThat(second.isHeld()).isTrue();
        assertThat(first.isHeld()).isFalse();
        assertThat(second.fencingToken()).isEqualTo(first.fencingToken() + 1);
        assertThat(backend.requests).hasValue(before);
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        second.release();
    }

    @Test
    void v11_aReacquireIsToldAndTheGrantBeforeItIsNot() throws Exception {
        acquireAndRelease();
        LockHandle second = acquireAndRelease();

        Event told = event("handedOff");

        assertThat(told.detail()).isEqualTo(HandoffKind.REACQUIRED);
        assertThat(told.event().fencingToken()).isEqualTo(second.fencingToken());
        Await.until("both releases are told", () -> count("released") == 2);
        assertThat(count("handedOff")).isOne();
    }

    @Test
    void v11_after255ReacquiresTheStoreDecides() throws Exception {
        changeNextGrant(granted -> overriding(Grant.class, granted, "nextBase", OptionalLong::empty));

        List<LockHandle> holds = acquireAndRelease(257);

        LockHandle last = holds.get(256);
        assertThat(holds.subList(0, 256)).extracting(EngineTest::base).containsOnly(base(holds.get(0)));
        assertThat(holds).extracting(LockHandle::fencingToken).isSorted().doesNotHaveDuplicates();
        assertThat(base(last)).isGreaterThan(base(holds.get(0)));
        assertThat(handoffs(last)).isZero();
    }

    private List<LockHandle> acquireAndRelease(int times) throws InterruptedException {
        List<LockHandle> holds = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            holds.add(acquireAndRelease());
        }
        return holds;
    }

    @Test
    void v11_s3_reacquiresGoOnWithAnotherBaseIfNobodyWaits() throws Exception {
        List<LockHandle> holds = acquireAndRelease(600);

        assertThat(holds).extracting(LockHandle::fencingToken).isSorted().doesNotHaveDuplicates();
        assertThat(holds.stream().map(EngineTest::base).distinct()).hasSizeBetween(3, 4);
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void v11_tenSecondsAfterTheGrantTheStoreDecides() throws Exception {
        LockHandle first = acquireAndRelease();
        for (Duration passed = Duration.ZERO; passed.toSeconds() < 10; passed = passed.plus(PAUSE)) {
            store.advance(PAUSE);
            LockHandle next = acquireAndRelease();
            assertThat(passed.toSeconds() >= 5 || base(next) == base(first))
                    .as("reacquired after %s", passed)
                    .isTrue();
        }

        assertThat(base(sticky.acquire())).isGreaterThan(base(first));
    }

    @Test
    void v11_aDormantHoldEndsAfterASecond() throws Exception {
        acquireAndRelease();
        assertThat(store.size()).isEqualTo(1);

        store.advance(DORMANT);

        awaitFree();
        assertThat(events).extracting(Event::kind).doesNotContain("lost");
    }

    @Test
    void v11_v6_heartbeatsKeepAStickyHoldAndEndWithIt() throws Exception {
        backend.heartbeatInterval = Duration.ofSeconds(1);
        LockHandle held = sticky.acquire();
        store.advance(Duration.ofSeconds(2));
        assertThat(backend.heartbeats.get()).isPositive();

        held.release();
        store.advance(DORMANT);
        awaitFree();
        store.advance(DORMANT);
        int last = backend.heartbeats.get();
        store.advance(Duration.ofSeconds(5));

        assertThat(backend.heartbeats).hasValue(last);
    }

    @Test
    void v11_aDormantHoldEndsAtOnceWhenAnotherClientAsks() throws Exception {
        stopClock();
        open(settings()).lock("a", STICKY).acquire().release();

        assertThat(other.lock("a").tryAcquire()).isEmpty();

        awaitFree();
    }

    @Test
    void s6_aDormantHoldThatHasExpiredIsNotUsed() throws Exception {
        DistributedLock brief = client.lock("a", STICKY.renewedLease(Duration.ofMillis(600)));
        LockHandle first = brief.acquire();
        first.release();

        store.jump(Duration.ofMillis(700));

        LockHandle next = brief.acquire();
        assertThat(base(next)).isGreaterThan(base(first));
        assertThat(next.isHeld()).isTrue();
    }

    @Test
    void s6_aDormantHoldThatTheStoreReportsAsGoneIsNotUsed() throws Exception {
        LockHandle first = acquireAndRelease();

        store.lose("a");

        assertThat(base(sticky.acquire())).isGreaterThan(base(first));
    }

    @Test
    void v11_aHoldThatAnotherClientHasWantedIsNotKept() throws Exception {
        LockHandle held = sticky.acquire();
        assertThat(other.lock("a").tryAcquire()).isEmpty();

        held.release();

        assertThat(store.size()).isZero();
    }

    @Test
    void v11_aHoldThatWasWantedBeforeItsGrantWasAnsweredIsNotKept() throws Exception {
        backend.asking = (contender, deadline) -> {
            backend.asking = (again, later) -> again.attempt(later);
            Attempt lost = contender.attempt(deadline);
            assertThat(lost).isInstanceOf(Attempt.Granted.class);
            assertThat(other.lock("a").tryAcquire()).isEmpty();
            throw new IllegalStateException("planted");
        };

        LockHandle held = sticky.acquire();
        held.release();

        assertThat(store.size()).isZero();
    }

    @Test
    void v11_v3_aLocalWaiterDoesNotPrecedeAnotherClientThatHasAsked() throws Exception {
        LockHandle held = sticky.acquire();
        CompletableFuture<LockHandle> local = sticky.acquireAsync();
        CompletableFuture<LockHandle> foreign = other.lock("a").acquireAsync();
        awaitQueued(2);

        held.release();

        LockHandle next = get(foreign);
        assertThat(local).isNotDone();
        next.release();
        get(local).release();
    }

    @Test
    void v11_localWaitersAreServedWithoutTheStoreWhileNobodyElseAsks() throws Exception {
        LockHandle held = sticky.acquire();
        List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(sticky.acquireAsync());
        }
        store.advance(DORMANT);
        long base = base(held);

        for (CompletableFuture<LockHandle> next : waiting) {
            held.release();
            held = get(next);
            assertThat(base(held)).isEqualTo(base);
        }
        held.release();
    }

    @Test
    void v5_aClosedClientGivesDormantHoldsBackAndReportsNoLoss() throws Exception {
        LockClient patient = settings().shutdownTimeout(LONG).build();
        for (int i = 0; i < 10; i++) {
            patient.lock("a" + i, STICKY).acquire().release();
        }

        patient.close();

        assertThat(store.size()).isZero();
        assertThat(backend.batchesOfReleases).hasValue(1);
        assertThat(events).extracting(Event::kind).doesNotContain("lost");
    }

    /** What a test does to the next grant. The store knows only the original. */
    private void changeNextGrant(UnaryOperator<Grant> change) {
        backend.asking = (contender, deadline) -> {
            backend.asking = Contender::attempt;
            Grant granted = ((Attempt.Granted) contender.attempt(deadline)).grant();
            return Attempt.granted(change.apply(granted));
        };
    }

    @Test
    void v11_aTryThatCannotUseTheDormantHoldGivesItBackBeforeItAsks() throws Exception {
        stopClock();
        DistributedLock tried = open(settings()).lock("a", STICKY);
        AtomicBoolean hears = new AtomicBoolean(true);
        AtomicReference<Thread> releasing = new AtomicReference<>();
        changeNextGrant(granted -> {
            Grant deaf = overriding(Grant.class, granted, "hearsOthers", hears::get);
            return overriding(Grant.class, deaf, "release", () -> {
                releasing.set(Thread.currentThread());
                return released(granted);
            });
        });
        LockHandle first = tried.acquire();
        first.release();

        hears.set(false);

        assertThat(base(tried.tryAcquire().orElseThrow())).isGreaterThan(base(first));
        assertThat(releasing).hasValue(Thread.currentThread());
    }

    @Test
    void v11_aTryWaitsUntilADormantHoldIsGivenBack() throws Exception {
        stopClock();
        DistributedLock tried = open(settings().requestTimeout(LONG)).lock("a", STICKY);
        CountDownLatch releasing = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        changeNextGrant(granted -> overriding(Grant.class, granted, "release", () -> {
            releasing.countDown();
            Await.open(answered);
            return released(granted);
        }));
        LockHandle first = tried.acquire();
        first.release();
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        Await.open(releasing);

        CompletableFuture<Optional<LockHandle>> single = tried.tryAcquireAsync(Duration.ZERO);
        event("waiting");
        answered.countDown();

        LockHandle second =
                single.get(LocalQueue.LONGEST_SLEEP / 2, TimeUnit.NANOSECONDS).orElseThrow();
        assertThat(base(second)).isGreaterThan(base(first));
    }

    private static Grant.Release released(Grant grant) {
        try {
            return grant.release(Deadline.after(LONG, LockClock.system()));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v11_aLockThatIsNotStickyIsNotKept() throws Exception {
        lock.acquire().release();

        assertThat(store.size()).isZero();
    }

    @Test
    void s1_s3_holdsOfStickyLocksExcludeEachOtherAndTokensRise() throws Exception {
        DistributedLock foreign = other.lock("a", STICKY);
        AtomicLong last = new AtomicLong();
        List<Task<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            DistributedLock used = i == 0 ? foreign : sticky;
            tasks.add(start(() -> rise(used, last)));
        }

        for (Task<Boolean> task : tasks) {
            assertThat(task.get(LONG.toSeconds(), TimeUnit.SECONDS))
                    .as("each token is greater than the one before")
                    .isTrue();
        }
        awaitFree();
    }

    /** Returns whether each token is greater than the last one. No other thread changes the tokens meanwhile. */
    private static boolean rise(DistributedLock lock, AtomicLong last) throws InterruptedException {
        boolean rises = true;
        for (int i = 0; i < 2_000; i++) {
            LockHandle held = lock.acquire();
            long before = last.get();
            rises &= before < held.fencingToken() && last.compareAndSet(before, held.fencingToken());
            held.release();
        }
        return rises;
    }

    private static void refuses(String named, ThrowingCallable call) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(named);
    }

    @Test
    void api_whatMakesNoSenseTogetherIsRefused() {
        LockOptions options = LockOptions.defaults();
        refuses("fair", () -> STICKY.fair());
        refuses("fair", () -> options.fair().sticky());
        refuses("fixedLease", () -> STICKY.fixedLease(LONG));
        refuses("fixedLease", () -> options.fixedLease(LONG).sticky());
        refuses("minimumHold", () -> STICKY.minimumHold(LONG));
        refuses("minimumHold", () -> options.minimumHold(LONG).sticky());
        refuses("read-write locks", () -> client.readWriteLock("rw", STICKY));
        refuses("semaphores", () -> client.semaphore("s", 2, STICKY));
    }
}
