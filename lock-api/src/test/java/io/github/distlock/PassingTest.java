package io.github.distlock;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Handing a lease from waiter to waiter of one client: V3 and its bounds, and the tokens of S3. */
class PassingTest extends EngineTest {

    private LockClient client(int passes, Duration time) {
        return open(settings().passing(passes, time));
    }

    private static long pass(LockHandle held) {
        return held.fencingToken() & 255;
    }

    /** Releases and waits for the next, as often as asked. */
    private List<LockHandle> handOver(DistributedLock lock, int times) throws Exception {
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
    void v3_s3_aLeaseIsPassedWithTheNextTokenAndTheSameBase() throws Exception {
        List<LockHandle> holds = handOver(client(64, LONG).lock("a"), 3);
        assertThat(holds).extracting(PassingTest::pass).containsExactly(0L, 1L, 2L, 3L);
        assertThat(holds).extracting(PassingTest::base).containsOnly(base(holds.get(0)));
    }

    @Test
    void v3_afterTheLastPassTheStoreDecidesAgain() throws Exception {
        List<LockHandle> holds = handOver(client(2, LONG).lock("a"), 4);
        assertThat(holds).extracting(PassingTest::pass).containsExactly(0L, 1L, 2L, 0L, 1L);
        assertThat(holds).extracting(LockHandle::fencingToken).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void v3_afterTheTimeForPassingTheStoreDecidesAgain() throws Exception {
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
        LockClient client = client(64, LONG);
        LockHandle held = client.lock("a").acquire();
        CompletableFuture<LockHandle> next = client.lock("a").acquireAsync();
        assertThat(other.inspector().inspect("a").waiters()).isEmpty();
        store.advance(LONG.plusMillis(1));
        assertThat(other.inspector().inspect("a").waiters()).hasSize(1);
        held.release();
        get(next).release();
    }

    @Test
    void passingCanBeSwitchedOff() throws Exception {
        assertThat(handOver(client(0, LONG).lock("a"), 2))
                .extracting(PassingTest::pass)
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
        assertThat(handOver(lock, 2)).extracting(PassingTest::pass).containsOnly(0L);
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
    void v3_passingDoesNotStarveAnotherClient() throws Exception {
        DistributedLock lock = client(64, LONG).lock("a");
        LockHandle held = lock.acquire();
        CompletableFuture<LockHandle> starving = other.lock("a").acquireAsync();
        awaitQueued(1);
        List<CompletableFuture<Long>> passes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            passes.add(lock.acquireAsync().thenApply(next -> {
                next.release();
                return pass(next);
            }));
        }

        held.release();

        assertThat(base(get(starving))).isEqualTo(base(held) + 1);
        starving.get().release();
        for (CompletableFuture<Long> pass : passes) {
            assertThat(get(pass)).isLessThanOrEqualTo(64);
        }
    }
}
