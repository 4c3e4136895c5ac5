package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Handing a lease from waiter to waiter of one client: V3 and its bounds, and the tokens of S3. */
class LocalHandoffTest extends EngineTest {

    private LockClient client(int max, Duration time) {
        return open(settings().localHandoff(max, time));
    }

    private static long handoffs(LockHandle held) {
        return held.fencingToken() & 255;
    }

    /** Releases and waits for the next, as often as asked. */
    private List<LockHandle> handOff(DistributedLock lock, int times) throws Exception {
        List<LockHandle> holds = new ArrayList<>(List.of(lock.acquire()));
        List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            waiting.add(lock.acquireAsync());
        }
        for (CompletableFuture<LockHandle> next : waiting) {
            holds.get(holds.size() - 1).release();
            holds.add(get(next));
        }
        holds.get(holds.size() - 1).release();
        return holds;
    }

    @Test
    void v3_s3_aLeaseIsHandedOffWithTheNextTokenAndTheSameBase() throws Exception {
        List<LockHandle> holds = handOff(client(64, LONG).lock("a"), 3);
        assertThat(holds).extracting(LocalHandoffTest::handoffs).containsExactly(0L, 1L, 2L, 3L);
        assertThat(holds).extracting(LocalHandoffTest::base).containsOnly(base(holds.get(0)));
    }

    /** Has the store answer the same to each question for another base. */
    private void answerNextBase(Supplier<OptionalLong> answer) {
        backend.asking = (contender, deadline) -> contender.attempt(deadline) instanceof Attempt.Granted granted
                ? Attempt.granted(overriding(Grant.class, granted.grant(), "nextBase", answer))
                : Attempt.busy(Duration.ofSeconds(1));
    }

    @Test
    void v3_afterTheLastHandoffTheStoreDecidesAgain() throws Exception {
        answerNextBase(OptionalLong::empty);
        List<LockHandle> holds = handOff(client(2, LONG).lock("a"), 4);
        assertThat(holds).extracting(LocalHandoffTest::handoffs).containsExactly(0L, 1L, 2L, 0L, 1L);
        assertThat(holds).extracting(LockHandle::fencingToken).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void v3_s3_handoffsGoOnWithAnotherBaseOfTheSameLease() throws Exception {
        // The store is asked after the third handoff. With a bound of 2, the next waiter could enter the store's queue.
        DistributedLock lock = client(4, LONG).lock("a");

        List<LockHandle> holds = handOff(lock, 6);

        assertThat(holds).extracting(LocalHandoffTest::handoffs).containsExactly(0L, 1L, 2L, 3L, 1L, 2L, 3L);
        assertThat(holds).extracting(LockHandle::fencingToken).isSorted().doesNotHaveDuplicates();
        assertThat(backend.attempts).hasValue(1);
        assertThat(base(other.lock("a").acquire())).isGreaterThan(base(holds.get(6)));
    }

    @Test
    void s7_withoutAnAnswerForAnotherBaseTheStoreDecidesAgain() throws Exception {
        answerNextBase(() -> {
            throw new IllegalStateException("planted");
        });
        List<LockHandle> holds = handOff(client(2, LONG).lock("a"), 4);
        assertThat(holds).extracting(LocalHandoffTest::handoffs).containsExactly(0L, 1L, 2L, 0L, 1L);
    }

    @Test
    void s3_aBaseThatIsNoneIsNotUsed() throws Exception {
        answerNextBase(() -> OptionalLong.of(1L << 55));
        List<LockHandle> holds = handOff(client(2, LONG).lock("a"), 4);
        assertThat(holds).extracting(LocalHandoffTest::handoffs).containsExactly(0L, 1L, 2L, 0L, 1L);
    }

    @Test
    void v3_handoffsEndTheirTimeAfterTheGrantWhateverTheBase() throws Exception {
        DistributedLock lock = client(2, LONG).lock("a");
        List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
        LockHandle held = lock.acquire();
        for (int i = 0; i < 3; i++) {
            waiting.add(lock.acquireAsync());
        }
        for (CompletableFuture<LockHandle> next : waiting.subList(0, 2)) {
            held.release();
            held = get(next);
        }

        store.advance(LONG.plusMillis(1));
        awaitQueued(1);
        held.release();

        assertThat(handoffs(get(waiting.get(2)))).isZero();
    }

    @Test
    void v3_afterTheTimeForHandoffsTheStoreDecidesAgain() throws Exception {
        DistributedLock lock = client(64, LONG).lock("a");
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> next = lock.acquireAsync();
        store.advance(LONG.plusMillis(1));
        assertThat(store.size()).isEqualTo(1);
        held.release();
        assertThat(base(get(next))).isGreaterThan(base(held));
    }

    @Test
    void v3_aWaiterTakesAPlaceInTheStoreWhenTheTimeForPassingIsOver() throws Exception {
        // Without a wake-up, the waiter looks again after a multiple of 10 s.
        Duration time = Duration.ofSeconds(15);
        LockClient client = client(64, time);
        LockHandle held = client.lock("a").acquire();
        CompletableFuture<LockHandle> next = client.lock("a").acquireAsync();
        assertThat(other.inspector().inspect("a").waiters()).isEmpty();
        store.advance(time.plusMillis(1));
        assertThat(other.inspector().inspect("a").waiters()).hasSize(1);
        held.release();
        get(next).release();
    }

    @Test
    void passingCanBeSwitchedOff() throws Exception {
        assertThat(handOff(client(0, LONG).lock("a"), 2))
                .extracting(LocalHandoffTest::handoffs)
                .containsOnly(0L);
    }

    @Test
    void v3_fairLocksAreNeverPassed() throws Exception {
        LockClient client = client(64, LONG);
        DistributedLock fair = client.lock("a", LockOptions.defaults().fair());
        expectTheStoreDecides(fair, fair);
    }

    @Test
    void aFixedLeaseIsNeverPassed() throws Exception {
        DistributedLock lock = client(64, LONG).lock("a", LockOptions.defaults().fixedLease(Duration.ofMinutes(5)));
        assertThat(handOff(lock, 2)).extracting(LocalHandoffTest::handoffs).containsOnly(0L);
    }

    @Test
    void aLeaseIsNotPassedToWaitersWithAnotherLease() throws Exception {
        LockClient client = client(64, LONG);
        LockOptions longer = LockOptions.defaults().renewedLease(Duration.ofMinutes(2));
        expectTheStoreDecides(client.lock("a"), client.lock("a", longer));
    }

    private void expectTheStoreDecides(DistributedLock lock, DistributedLock waiting) throws Exception {
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> next = waiting.acquireAsync();
        awaitQueued(1);
        held.release();
        LockHandle other = get(next);
        assertThat(base(other)).isGreaterThan(base(held));
        other.release();
    }

    @Test
    void s8_aHoldInDoubtIsNotPassed() throws Exception {
        DistributedLock lock = client(64, LONG).lock("a");
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> next = lock.acquireAsync();
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("planted");
        };
        store.advance(Duration.ofSeconds(12));
        assertThat(held.state()).isEqualTo(LockHandle.State.SUSPECT);

        held.release();

        assertThat(base(get(next))).isGreaterThan(base(held));
    }

    @Test
    void aWaiterAsksOnceTheReleaseThatIsUnderWayIsAnswered() throws Exception {
        CountDownLatch releasing = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        backend.asking = (contender, deadline) -> {
            backend.asking = Contender::attempt;
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            return Attempt.granted(overriding(Grant.class, grant, "release", () -> {
                releasing.countDown();
                Await.open(answered);
                return released(grant);
            }));
        };
        DistributedLock lock = client(0, LONG).lock("a");
        LockHandle held = lock.acquire();
        Task<LockHandle.Release> release = start(held::release);
        Await.open(releasing);

        CompletableFuture<LockHandle> next = lock.acquireAsync();
        event("waiting");
        assertThat(backend.attempts).as("requests during the release").hasValue(1);
        answered.countDown();

        assertThat(get(release)).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(get(next).isHeld()).isTrue();
        assertThat(backend.attempts).hasValue(2);
    }

    private static Grant.Release released(Grant grant) {
        try {
            return grant.release(Deadline.after(LONG, LockClock.system()));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v2_aWaiterAsksTheStoreAsSoonAsTheHoldIsInDoubt() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofSeconds(6));
        DistributedLock lock = client(64, LONG).lock("a", options);
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> next = lock.acquireAsync();
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("planted");
        };
        assertThat(other.inspector().inspect("a").waiters()).isEmpty();

        store.advance(Duration.ofSeconds(3));

        assertThat(held.state()).isEqualTo(LockHandle.State.SUSPECT);
        assertThat(other.inspector().inspect("a").waiters()).hasSize(1);
        held.release();
        get(next).release();
    }

    @Test
    void v3_localHandoffDoesNotStarveAnotherClient() throws Exception {
        DistributedLock lock = client(64, LONG).lock("a");
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> starving = other.lock("a").acquireAsync();
        awaitQueued(1);
        List<CompletableFuture<Long>> handoffs = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            handoffs.add(lock.acquireAsync().thenApply(next -> {
                next.release();
                return handoffs(next);
            }));
        }

        held.release();

        assertThat(base(get(starving))).isEqualTo(base(held) + 1);
        starving.get().release();
        for (CompletableFuture<Long> handoff : handoffs) {
            assertThat(get(handoff)).isLessThanOrEqualTo(64);
        }
    }
}
