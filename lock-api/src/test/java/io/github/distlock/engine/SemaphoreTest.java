package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedSemaphore;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LossReason;
import io.github.distlock.ThreadOwnedLock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

/** Permits of one client, and how they differ from those of a {@link Semaphore}. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class SemaphoreTest extends EngineTest {
    private final LockClient patient = open(settings().localHandoff(64, LONG));
    private final DistributedSemaphore semaphore = patient.semaphore("a", 3);

    private LockHandle hold(int count) throws InterruptedException {
        return semaphore.permits(count).acquire();
    }

    @Test
    void s10_permitsInUseNeverExceedTheLimit() throws Exception {
        LockHandle two = hold(2);
        LockHandle one = hold(1);

        assertThat(semaphore.permit().tryAcquire()).isEmpty();
        assertThat(other.semaphore("a", 3).permit().tryAcquire()).isEmpty();

        one.close();
        other.semaphore("a", 3).permit().tryAcquire().orElseThrow().close();
        two.close();
        expectNothingLeft();
    }

    @Test
    void s10_eachClientBringsItsOwnLimit() throws Exception {
        LockHandle two = hold(2);

        assertThat(other.semaphore("a", 2).permit().tryAcquire()).isEmpty();
        other.semaphore("a", 4).permits(2).tryAcquire().orElseThrow().close();

        two.close();
    }

    @Test
    void v10_aWaiterForPermitsAsksTheStoreAtOnce() throws Exception {
        LockHandle first = hold(1);
        LockHandle second = hold(1);
        assertThat(base(second)).isGreaterThan(base(first));
        LockHandle third = hold(1);

        CompletableFuture<LockHandle> waiter = semaphore.permit().acquireAsync();

        awaitQueued(1);
        first.close();
        assertThat(get(waiter).isHeld()).isTrue();
        List.of(second, third, get(waiter)).forEach(LockHandle::close);
        expectNothingLeft();
    }

    @Test
    void v3_aReleasedPermitIsHandedToAWaiterOfTheClient() throws Exception {
        LockHandle held = hold(3);
        CompletableFuture<LockHandle> waiter = semaphore.permits(3).acquireAsync();
        awaitQueued(1);

        held.close();

        assertThat(get(waiter).fencingToken()).isEqualTo(held.fencingToken() + 1);
        assertThat(event("handedOff").event().fencingToken()).isEqualTo(held.fencingToken() + 1);
        get(waiter).close();
        expectNothingLeft();
    }

    @Test
    void v3_permitsAreNotHandedToWaitersForAnotherNumber() throws Exception {
        LockHandle held = hold(3);
        CompletableFuture<LockHandle> waiter = semaphore.permit().acquireAsync();
        awaitQueued(1);

        held.close();

        assertThat(base(get(waiter))).isGreaterThan(base(held));
        get(waiter).close();
    }

    @Test
    void v2_theNextWaiterTakesOverTheQueueEntryAfterAHandoff() throws Exception {
        LockHandle two = hold(2);
        LockHandle one = hold(1);
        CompletableFuture<LockHandle> first = semaphore.permit().acquireAsync();
        CompletableFuture<LockHandle> second = semaphore.permit().acquireAsync();
        awaitQueued(1);
        one.close();
        assertThat(get(first).fencingToken()).isEqualTo(one.fencingToken() + 1);

        two.close();

        assertThat(base(get(second))).isGreaterThan(base(one));
        get(first).close();
        get(second).close();
        expectNothingLeft();
    }

    @Test
    void s6_eachHoldHasItsOwnLease() throws Exception {
        LockHandle gone = hold(1);
        LockHandle kept = other.semaphore("a", 3).permit().acquire();
        memory.pause();
        store.advance(LEASE);

        assertThat(gone.state()).isEqualTo(State.LOST);
        assertThat(kept.state()).isEqualTo(State.HELD);
        memory.resume();
        kept.close();
    }

    // Views

    @Test
    void s4_onePermitCanBeReentrant() throws Exception {
        DistributedLock permit = semaphore.permit();
        ThreadOwnedLock view = permit.asLock();
        view.lock();
        try (LockHandle inner = permit.reentrant().acquire()) {
            assertThat(inner.fencingToken()).isEqualTo(view.fencingToken());
            assertThat(onAnotherThread(() -> {
                        boolean locked = view.tryLock();
                        view.unlock();
                        return locked;
                    }))
                    .as("another thread has another permit")
                    .isTrue();
        }
        view.unlock();
        expectNothingLeft();
    }

    @Test
    void api_severalPermitsHaveNoViews() {
        assertThatThrownBy(semaphore.permits(2)::reentrant)
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("\"a\"");
        assertThatThrownBy(semaphore.permits(2)::asLock).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void api_aSemaphoreKnowsItsNameLimitAndOptions() {
        assertThat(semaphore.name()).isEqualTo("a");
        assertThat(semaphore.limit()).isEqualTo(3);
        assertThat(semaphore.options()).isEqualTo(lock.options());
        assertThat(semaphore).hasToString("semaphore \"a\", limit 3, " + lock.options());
        assertThat(semaphore.permits(2)).hasToString("lock \"a\", 2 of 3 permits, " + lock.options());
    }

    // Differences from java.util.concurrent.Semaphore

    @Test
    void api_permitsBelongToAHandleAndAreReleasedOnce() throws Exception {
        Semaphore jdk = new Semaphore(1);
        jdk.release();
        assertThat(jdk.availablePermits()).as("anybody adds permits").isEqualTo(2);

        LockHandle held = hold(3);
        held.close();
        held.close();

        LockHandle all = hold(3);
        assertThat(semaphore.permit().tryAcquire()).isEmpty();
        all.close();
    }

    @Test
    void api_severalPermitsAreReleasedTogetherAndNoZeroPermitsExist() {
        Semaphore jdk = new Semaphore(2);
        assertThat(jdk.tryAcquire(2)).isTrue();
        jdk.release(1);
        assertThat(jdk.tryAcquire(0)).isTrue();

        for (int count : new int[] {-1, 0, 4}) {
            assertThatThrownBy(() -> semaphore.permits(count))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("count");
        }
    }

    @Test
    void v10_aTryDoesNotOvertakeWaiters() throws Exception {
        Semaphore jdk = new Semaphore(2, true);
        jdk.acquire();
        Task<Boolean> waiting = start(() -> {
            jdk.acquire(2);
            return true;
        });
        Await.until("it waits", jdk::hasQueuedThreads);
        assertThat(jdk.tryAcquire()).as("a try overtakes, even in a fair one").isTrue();
        jdk.release(2);
        get(waiting);

        LockHandle held = hold(2);
        CompletableFuture<LockHandle> large = other.semaphore("a", 3).permits(2).acquireAsync();
        awaitQueued(1);
        assertThat(semaphore.permit().tryAcquire()).isEmpty();
        held.close();
        get(large).close();
    }

    @Test
    void s6_permitsOfASilentHolderBecomeFree() throws Exception {
        LockHandle held = hold(3);
        var losses = losses(held);
        memory.pause();
        store.advance(LEASE);

        expectLoss(LossReason.EXPIRED, losses);
        other.semaphore("a", 3).permits(3).tryAcquire().orElseThrow().close();
        memory.resume();
    }

    @Test
    void v4_aTryThrowsIfTheStoreIsSilent() {
        memory.pause();
        assertThatThrownBy(semaphore.permit()::tryAcquire).isInstanceOf(LockException.class);
    }
}
