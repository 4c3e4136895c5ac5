package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.ReleaseRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** V12 where the engine decides: which holds hear of a request for release, how often, and what it costs. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about single acquires and releases.
class ReleaseRequestTest extends EngineTest {
    private static final Duration MOMENT = Duration.ofMillis(1);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final LockInspector asker = other.inspector();
    /** A client that hands leases on for a long time. */
    private final LockClient patient = open(settings().localHandoff(64, LONG));

    private static List<ReleaseRequest> requests(LockHandle held) {
        List<ReleaseRequest> requests = new CopyOnWriteArrayList<>();
        held.onReleaseRequested(requests::add);
        return requests;
    }

    /** Asks, and lets time pass, so that what comes later is later by the clock. */
    private void ask() {
        assertThat(asker.requestRelease("a")).isPositive();
        store.advance(MOMENT);
    }

    private static void awaitHeard(List<ReleaseRequest> heard, int count) {
        Await.until("requests are heard: " + count, () -> heard.size() == count);
    }

    /** Expects that a hold has heard of no request, and hears of the next one. */
    private void expectHearsOnlyLater(LockHandle held) {
        List<ReleaseRequest> heard = requests(held);
        store.advance(SECOND);
        assertThat(heard).isEmpty();

        ask();
        store.advance(SECOND);

        awaitHeard(heard, 1);
    }

    @ParameterizedTest
    @EnumSource
    void v12_aRequestReachesTheListenerWithinASecond(Way way) throws Exception {
        LockHandle held = way.acquire(lock, LONG).orElseThrow();
        List<ReleaseRequest> heard = requests(held);
        store.advance(SECOND);
        Instant before = Instant.ofEpochMilli(store.clock().wallMillis());

        ask();
        store.advance(SECOND);

        awaitHeard(heard, 1);
        ReleaseRequest request = heard.get(0);
        LockOwner requester = request.requester();
        assertThat(request.lockName()).isEqualTo("a");
        assertThat(requester.client()).isEqualTo(other.name());
        assertThat(requester.processId()).isEqualTo(ProcessHandle.current().pid());
        assertThat(requester.thread()).isEqualTo(Thread.currentThread().getName());
        assertThat(request.arrived()).isBetween(before.minus(LONG), before.plus(LONG));
        assertThat(request)
                .hasToString("release of lock \"a\" requested by " + requester + ", at " + request.arrived());
        Event event = event("releaseRequested");
        assertThat(event.event().fencingToken()).isEqualTo(held.fencingToken());
        assertThat(event.detail()).isSameAs(request);
        assertThat(held.isHeld()).isTrue();
        held.close();
    }

    @Test
    void v12_aListenerMayRelease() throws Exception {
        LockHandle held = lock.acquire();
        held.onReleaseRequested(request -> held.close());
        Task<LockHandle> waiter = start(other.lock("a")::acquire);
        awaitQueued(1);

        ask();

        get(waiter).close();
        assertThat(held.state()).isEqualTo(LockHandle.State.RELEASED);
        expectNothingLeft();
    }

    @Test
    void v12_eachListenerIsCalledOnceForEachRequest() throws Exception {
        LockHandle held = lock.acquire();
        List<ReleaseRequest> first = requests(held);
        ask();
        awaitHeard(first, 1);
        // From here on the store is silent: the hold itself knows the request.
        memory.pause();

        List<ReleaseRequest> second = requests(held);

        awaitHeard(second, 1);
        assertThat(second.get(0)).isSameAs(first.get(0));
        memory.resume();
        store.advance(SECOND);
        ask();
        store.advance(SECOND);
        awaitHeard(first, 2);
        awaitHeard(second, 2);
        Await.until("two events", () -> count("releaseRequested") == 2);
        store.advance(SECOND);
        assertThat(first).hasSize(2);
        assertThat(count("releaseRequested")).isEqualTo(2);
        held.close();
    }

    @Test
    void v12_aHoldAfterALocalHandoffHearsOfLaterRequestsOnly() throws Exception {
        DistributedLock handedOn = patient.lock("a");
        LockHandle first = handedOn.acquire();
        Task<LockHandle> waiter = startWaiting(handedOn::acquire);
        ask();

        first.close();

        LockHandle next = get(waiter);
        assertThat(next.fencingToken()).isEqualTo(first.fencingToken() + 1);
        expectHearsOnlyLater(next);
        next.close();
    }

    @Test
    void v12_aReaderThatJoinsHearsOfLaterRequestsOnly() throws Exception {
        DistributedLock reading = patient.readWriteLock("a").readLock();
        LockHandle first = reading.acquire();
        ask();
        LockHandle joined = reading.acquire();
        assertThat(joined.fencingToken()).isEqualTo(first.fencingToken());
        List<ReleaseRequest> heardByFirst = requests(first);

        expectHearsOnlyLater(joined);

        awaitHeard(heardByFirst, 2);
        joined.close();
        first.close();
    }

    @Test
    void v12_aReaderThatWasAWriterHearsOfLaterRequestsOnly() throws Exception {
        DistributedReadWriteLock shared = client.readWriteLock("a");
        LockHandle writing = shared.writeLock().acquire();
        ask();

        LockHandle reading = shared.downgrade(writing);

        expectHearsOnlyLater(reading);
        reading.close();
    }

    @Test
    void v12_aHoldThatHasEndedHearsNothing() throws Exception {
        LockHandle held = lock.acquire();
        List<ReleaseRequest> heard = requests(held);
        held.close();
        LockHandle next = lock.acquire();
        List<ReleaseRequest> heardByNext = requests(next);

        ask();
        store.advance(SECOND);

        awaitHeard(heardByNext, 1);
        List<ReleaseRequest> heardLater = requests(held);
        store.advance(SECOND);
        assertThat(heard).isEmpty();
        assertThat(heardLater).isEmpty();
        next.close();
    }

    @Test
    void v12_aCallThatWaitedUntilTheEndOfTheHoldIsDropped() throws Exception {
        Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
        LockClient slow = open(LockClient.builder(store.connect()).callbackExecutor(waiting::add));
        LockHandle held = slow.lock("a").acquire();
        List<ReleaseRequest> heard = requests(held);
        assertThat(asker.requestRelease("a")).isOne();
        Await.until("a call waits", () -> !waiting.isEmpty());

        held.close();
        waiting.forEach(Runnable::run);

        assertThat(heard).isEmpty();
    }

    @Test
    void v12_eachEntryOfAReentrantHoldHearsUntilItsEnd() throws Exception {
        DistributedLock reentrant = lock.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        List<ReleaseRequest> heardByOuter = requests(outer);
        List<ReleaseRequest> heardByInner = requests(inner);
        ask();
        store.advance(SECOND);
        awaitHeard(heardByOuter, 1);
        awaitHeard(heardByInner, 1);
        inner.close();

        ask();
        store.advance(SECOND);

        awaitHeard(heardByOuter, 2);
        assertThat(heardByInner).hasSize(1);
        outer.close();
    }

    @Test
    void v12_theHoldOfSeveralLocksHearsOfEachOfThem() throws Exception {
        LockHandle held = client.allOf(List.of("a", "b")).acquire();
        List<ReleaseRequest> heard = requests(held);

        assertThat(asker.requestRelease("b")).isOne();
        store.advance(SECOND);

        awaitHeard(heard, 1);
        assertThat(heard.get(0).lockName()).isEqualTo("b");
        held.close();
    }

    @Test
    void v12_aBorrowedReadHoldHearsBeforeAndAfterADowngrade() throws Exception {
        DistributedReadWriteLock shared = client.readWriteLock("a");
        ReadWriteLock view = shared.asReadWriteLock();
        view.writeLock().lock();
        view.readLock().lock();
        LockHandle reading = shared.readLock().reentrant().acquire();
        view.readLock().unlock();
        List<ReleaseRequest> heard = requests(reading);
        ask();
        store.advance(SECOND);
        awaitHeard(heard, 1);
        view.writeLock().unlock();
        store.advance(SECOND);
        assertThat(heard).hasSize(1);

        ask();
        store.advance(SECOND);

        awaitHeard(heard, 2);
        reading.close();
        expectNothingLeft();
    }

    @Test
    void v12_aRequestForAFreeLockReachesNobody() {
        assertThat(asker.requestRelease("a")).isZero();
        assertThat(store.size()).isZero();
    }

    @Test
    void v12_theHoldsOfAServerAreReadTogetherTwiceASecond() throws Exception {
        List<LockHandle> holds = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            holds.add(client.lock("many/" + i).acquire());
            var unused = requests(holds.get(i));
        }
        store.advance(SECOND);
        int before = backend.readsOfRequests.get();

        store.advance(Duration.ofSeconds(10));

        assertThat(backend.readsOfRequests.get() - before).isBetween(15, 40);
        holds.forEach(LockHandle::close);
    }

    @Test
    void v12_nothingIsReadBeforeTheFirstListenerAndAfterTheLastHoldWithOne() throws Exception {
        LockHandle held = lock.acquire();
        store.advance(LEASE);
        assertThat(backend.readsOfRequests).hasValue(0);
        var unused = requests(held);
        held.close();
        LockHandle another = lock.acquire();
        store.advance(SECOND);
        int before = backend.readsOfRequests.get();

        store.advance(LEASE);

        assertThat(backend.readsOfRequests).hasValue(before);
        // The collector must not end the reads.
        assertThat(held.isHeld()).isFalse();
        another.close();
    }

    @Test
    void v12_aReadThatFailsIsMadeUpForByTheNextOne() throws Exception {
        LockHandle held = lock.acquire();
        AtomicInteger failures = new AtomicInteger();
        backend.readingRequests = (grants, deadline) -> {
            if (failures.incrementAndGet() <= 3) {
                throw new IllegalStateException("planted");
            }
            return memory.requestedReleases(grants, deadline);
        };
        List<ReleaseRequest> heard = requests(held);

        ask();
        store.advance(SECOND.multipliedBy(2));

        awaitHeard(heard, 1);
        held.close();
    }

    @Test
    void v9_aListenerThatKnowsItsHandleHidesNoLeak() throws Exception {
        long token = dropListening();

        Await.until("the leak is reported", () -> {
            System.gc();
            store.advance(SECOND);
            return count("leaked") > 0;
        });

        assertThat(event("leaked").event().fencingToken()).isEqualTo(token);
        expectNothingLeft();
    }

    private long dropListening() throws InterruptedException {
        LockHandle held = lock.acquire();
        held.onReleaseRequested(request -> held.close());
        return held.fencingToken();
    }

    @Test
    void api_aStoreWithoutRequestsRefusesListenersAndRequests() throws Exception {
        LockHandle held = lock.acquire();
        LockInspector inspector = client.inspector();
        backend.capabilities = Set.of();

        assertThatThrownBy(() -> held.onReleaseRequested(request -> {}))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("RELEASE_REQUESTS");
        assertThatThrownBy(() -> inspector.requestRelease("a"))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("RELEASE_REQUESTS");
        held.close();
    }

    @Test
    void v11_v12_aRequestEndsTheDormancyOfAStickyLock() throws Exception {
        DistributedLock sticky = client.lock("a", LockOptions.defaults().sticky());
        sticky.acquire().close();
        assertThat(store.size()).isOne();

        ask();

        event("wanted");
        Await.until("the lock is free", () -> store.size() == 0);
    }
}
