package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LossReason;
import io.github.distlock.ThreadOwnedLock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The reentrant view: a thread may acquire again what it holds. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class ReentrantTest extends EngineTest {
    private final DistributedLock reentrant = lock.reentrant();

    @Test
    void s4_aReentrantAcquireReturnsTheSameTokenAndAsksNobody() throws Exception {
        try (LockHandle outer = reentrant.acquire()) {
            int requests = backend.requests.get();
            for (Way way : List.of(Way.TRY, Way.TIMED, Way.BLOCKING)) {
                try (LockHandle inner =
                        way.acquire(client.lock("a").reentrant(), LONG).orElseThrow()) {
                    assertThat(inner.fencingToken()).isEqualTo(outer.fencingToken());
                    assertThat(inner.isHeld()).isTrue();
                }
            }
            try (LockHandle inner = reentrant.acquireUninterruptibly()) {
                assertThat(inner.lockNames()).containsExactly("a");
            }
            assertThat(backend.requests).hasValue(requests);
        }
        expectNothingLeft();
    }

    @Test
    void s4_theLockIsReleasedWithTheLastHandle() throws Exception {
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();

        assertThat(outer.release()).isEqualTo(Release.RELEASED);

        assertThat(outer.state()).isEqualTo(State.RELEASED);
        assertThat(outer.isHeld()).isFalse();
        assertThat(outer.remaining()).isZero();
        assertThatThrownBy(outer::ensureHeld)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("\"a\"");
        assertThat(inner.isHeld()).isTrue();
        assertThat(other.lock("a").tryAcquire()).isEmpty();
        assertThat(inner.release()).isEqualTo(Release.RELEASED);
        assertThat(inner.state()).isEqualTo(State.RELEASED);
        assertThatThrownBy(lock.asLock()::fencingToken).isInstanceOf(IllegalMonitorStateException.class);
        other.lock("a").tryAcquire().orElseThrow().close();
    }

    @Test
    void s4_aHandleThatIsClosedTwiceEndsOneEntry() throws Exception {
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();

        inner.close();
        inner.close();
        assertThat(inner.release()).isEqualTo(Release.RELEASED);

        assertThat(outer.isHeld()).isTrue();
        assertThat(get(inner.releaseAsync())).isEqualTo(Release.RELEASED);
        assertThat(get(outer.releaseAsync())).isEqualTo(Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void s1_anotherThreadOfTheClientWaits() throws Exception {
        LockHandle held = reentrant.acquire();
        Task<LockHandle> waiter = startWaiting(reentrant::acquire);

        held.close();

        LockHandle next = get(waiter);
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        next.close();
    }

    @Test
    void s4_anotherThreadMayCloseTheHandle() throws Exception {
        LockHandle held = reentrant.acquire();
        reentrant.tryAcquire(LONG).orElseThrow().close();
        assertThat(lock.asLock().isHeldByCurrentThread()).as("locked").isFalse();

        assertThat(onAnotherThread(() -> held.release() == Release.RELEASED)).isTrue();

        try (LockHandle next = reentrant.acquire()) {
            assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        }
    }

    @Test
    void s4_aLostHoldIsNotEnteredAgainUntilItsHandlesAreClosed() throws Exception {
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        List<LockLoss> losses = losses(inner);

        memory.pause();
        store.advance(LEASE);
        expectLoss(LossReason.EXPIRED, losses);
        memory.resume();

        assertThatThrownBy(reentrant::tryAcquire).isInstanceOf(LockLostException.class);
        assertThatThrownBy(lock.asLock()::lock).isInstanceOf(LockLostException.class);
        assertThatThrownBy(inner::ensureHeld).isInstanceOf(LockLostException.class);
        assertThatThrownBy(inner::close).isInstanceOf(LockLostException.class);
        inner.close();
        assertThat(inner.state()).isEqualTo(State.LOST);
        assertThat(outer.release()).isEqualTo(Release.LOST);
        assertThat(outer.state()).isEqualTo(State.LOST);
        reentrant.tryAcquire().orElseThrow().close();
    }

    @Test
    void s6_aHandleThatWasClosedBeforeHearsOfNoLoss() throws Exception {
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        List<LockLoss> ofInner = losses(inner);
        List<LockLoss> ofOuter = losses(outer);
        inner.close();

        memory.pause();
        store.advance(LEASE);

        expectLoss(LossReason.EXPIRED, ofOuter);
        assertThat(ofInner).isEmpty();
    }

    @Test
    void s1_aThreadDoesNotEnterAHoldThatItHasDetached() throws Exception {
        LockHandle passedOn = reentrant.acquire();

        passedOn.detach();

        assertThat(reentrant.tryAcquire()).isEmpty();
        assertThat(lock.asLock().tryLock()).isFalse();
        assertThat(passedOn.isHeld()).isTrue();
        passedOn.close();
        try (LockHandle next = reentrant.acquire()) {
            assertThat(next.fencingToken()).isGreaterThan(passedOn.fencingToken());
            assertThat(reentrant.tryAcquire().orElseThrow().release()).isEqualTo(Release.RELEASED);
        }
        expectNothingLeft();
    }

    @Test
    void s4_aThreadEntersItsHoldWhileItHasAHandleThatIsNotDetached() throws Exception {
        LockHandle own = reentrant.acquire();
        LockHandle passedOn = reentrant.acquire();
        LockHandle closed = reentrant.acquire();
        passedOn.detach();
        passedOn.detach();
        closed.close();
        closed.detach();
        LockHandle ended = reentrant.acquire();
        ended.detach();
        ended.close();

        reentrant.tryAcquire().orElseThrow().close();
        own.close();

        assertThat(reentrant.tryAcquire()).isEmpty();
        assertThat(passedOn.release()).isEqualTo(Release.RELEASED);
        assertThat(passedOn.state()).isEqualTo(State.RELEASED);
        reentrant.tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void s4_theEndOfADetachedHoldLeavesTheNextHoldOfItsThread() throws Exception {
        DistributedLock permit = client.semaphore("s", 2).permit().reentrant();
        LockHandle passedOn = permit.acquire();
        passedOn.detach();
        LockHandle next = permit.acquire();

        passedOn.close();

        assertThat(next.fencingToken()).isNotEqualTo(passedOn.fencingToken());
        try (LockHandle inner = permit.acquire()) {
            assertThat(inner.fencingToken()).isEqualTo(next.fencingToken());
        }
        next.close();
        expectNothingLeft();
    }

    @Test
    void s1_severalLocksAreDetachedTogether() throws Exception {
        DistributedLock both = client.allOf(List.of("a", "b")).reentrant();
        LockHandle passedOn = both.acquire();

        passedOn.detach();

        assertThat(reentrant.tryAcquire()).isEmpty();
        assertThat(client.lock("b").reentrant().tryAcquire()).isEmpty();
        passedOn.close();
        both.acquire().close();
        expectNothingLeft();
    }

    @Test
    void s4_aTimedAcquireBegins() throws Exception {
        LockHandle held = reentrant.tryAcquire(LONG).orElseThrow();

        assertThat(held).hasToString("reentrant hold of lock \"a\", token " + held.fencingToken() + ", HELD");
        held.close();
    }

    /** The thread has no object that the collector could see. */
    @Test
    void v9_aLockedHoldOutlivesACollection() {
        ThreadOwnedLock view = lock.asLock();
        view.lock();
        view.lock();
        view.unlock();

        for (int i = 0; i < 3; i++) {
            System.gc();
            store.advance(Duration.ofSeconds(1));
        }

        assertThat(view.isHeldByCurrentThread()).isTrue();
        assertThat(count("leaked")).isZero();
        view.unlock();
    }

    @Test
    void v9_droppedHandlesAreReleasedAndReported() throws Exception {
        long token = reentrant.acquire().fencingToken();

        expectLeak(token);
    }

    @Test
    void v9_theHoldOfAThreadThatHasDiedCountsAsDropped() throws Exception {
        ThreadOwnedLock view = lock.asLock();
        long token = get(start(() -> {
            view.lock();
            return view.fencingToken();
        }));

        expectLeak(token);
    }

    private void expectLeak(long token) {
        Await.until("the leak is reported", () -> {
            System.gc();
            store.advance(Duration.ofSeconds(1));
            return count("leaked") > 0;
        });
        assertThat(event("leaked").event().fencingToken()).isEqualTo(token);
        expectNothingLeft();
    }

    @Test
    void v7_anInterruptedThreadDoesNotEnterAgain() throws Exception {
        try (LockHandle held = reentrant.acquire()) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(reentrant::acquire).isInstanceOf(InterruptedException.class);

            Thread.currentThread().interrupt();
            reentrant.acquireUninterruptibly().close();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(held.isHeld()).isTrue();
        }
    }

    @Test
    void api_asynchronousAcquiresAreRefused() {
        assertThatThrownBy(reentrant::acquireAsync)
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("\"a\"");
        assertThatThrownBy(() -> reentrant.tryAcquireAsync(LONG)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void api_theViewIsALockLikeAnyOther() throws Exception {
        assertThat(reentrant.name()).isEqualTo("a");
        assertThat(reentrant.options()).isEqualTo(lock.options());
        assertThat(reentrant.reentrant()).isSameAs(reentrant);
        assertThat(reentrant).hasToString("reentrant " + lock);
        long token = reentrant.callLocked(outer -> reentrant.callLocked(LockHandle::fencingToken));
        assertThat(token).isPositive();
    }
}
