package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Readers of one client share a grant, within bounds, and a writer of it excludes them. */
class ReadWriteTest extends EngineTest {
    private static final Duration JOINABLE = LONG;

    private final LockClient patient = open(settings().localHandoff(64, JOINABLE));
    private final DistributedReadWriteLock shared = patient.readWriteLock("a");
    private final DistributedLock reading = shared.readLock();
    private final DistributedLock writing = shared.writeLock();

    private static void closeAll(List<LockHandle> holds) {
        holds.forEach(LockHandle::close);
    }

    private void expectAsks(DistributedLock next) throws Exception {
        int before = backend.attempts.get();
        LockHandle held = next.acquire();
        assertThat(backend.attempts).hasValue(before + 1);
        held.close();
    }

    // Joining

    @Test
    void v10_aThousandReadersOfOneClientCostOneRequest() throws Exception {
        List<LockHandle> holds = new ArrayList<>(List.of(reading.acquire()));
        for (int i = 1; i < 1_000; i++) {
            holds.add(reading.acquire());
        }

        assertThat(backend.requests).hasValue(1);
        assertThat(holds).extracting(LockHandle::fencingToken).containsOnly(base(holds.get(0)) << 8);
        Await.until("the joins are told", () -> count("handedOff") == 999);
        assertThat(event("handedOff").detail()).isEqualTo(HandoffKind.JOINED);
        closeAll(holds);
        expectNothingLeft();
    }

    @Test
    void v10_waitingReadersJoinWhenTheirHeadIsGranted() throws Exception {
        // Not the attempts: the head asks again each second, also while it waits.
        AtomicInteger grants = new AtomicInteger();
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            if (answer instanceof Attempt.Granted) {
                grants.incrementAndGet();
            }
            return answer;
        };
        LockHandle written = other.readWriteLock("a").writeLock().acquire();
        List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(reading.acquireAsync());
        }
        Task<LockHandle> blocking = startWaiting(reading::acquire);
        awaitQueued(1);

        written.close();

        List<LockHandle> holds = new ArrayList<>(List.of(get(blocking)));
        for (CompletableFuture<LockHandle> next : waiting) {
            holds.add(get(next));
        }
        assertThat(grants).hasValue(1);
        assertThat(holds).extracting(LockHandle::fencingToken).containsOnly(base(holds.get(0)) << 8);
        Await.until("the joins are told", () -> count("handedOff") == 100);
        assertThat(event("handedOff").detail()).isEqualTo(HandoffKind.JOINED);
        closeAll(holds);
        expectNothingLeft();
    }

    @Test
    void v10_triesOfReadersJoin() throws Exception {
        LockHandle first = reading.tryAcquire().orElseThrow();

        LockHandle second = reading.tryAcquire().orElseThrow();
        LockHandle third = get(reading.tryAcquireAsync(Duration.ZERO)).orElseThrow();

        assertThat(backend.requests).hasValue(1);
        closeAll(List.of(first, second, third));
    }

    @Test
    void v10_aReaderThatComesTooLateAsksTheStore() throws Exception {
        LockHandle first = reading.acquire();
        store.advance(JOINABLE.plusMillis(1));

        LockHandle second = reading.acquire();

        assertThat(base(second)).isGreaterThan(base(first));
        closeAll(List.of(first, second));
        expectNothingLeft();
    }

    @Test
    void v10_aReaderThatComesTooLateWaitsBehindAWriter() throws Exception {
        LockHandle first = reading.acquire();
        CompletableFuture<LockHandle> writer =
                other.readWriteLock("a").writeLock().acquireAsync();
        awaitQueued(1);
        store.advance(JOINABLE.plusMillis(1));

        assertThat(reading.tryAcquire()).isEmpty();

        first.close();
        get(writer).close();
    }

    @Test
    void v10_fairReadersNeverJoin() throws Exception {
        DistributedLock fair =
                patient.readWriteLock("a", LockOptions.defaults().fair()).readLock();
        LockHandle first = fair.acquire();
        expectAsks(fair);
        first.close();
    }

    @Test
    void v10_readersWithFixedLeasesNeverJoin() throws Exception {
        DistributedLock fixed = patient.readWriteLock(
                        "a", LockOptions.defaults().fixedLease(LEASE))
                .readLock();
        LockHandle first = fixed.acquire();
        expectAsks(fixed);
        first.close();
    }

    @Test
    void v10_readersWithOtherOptionsDoNotJoin() throws Exception {
        LockHandle first = reading.acquire();
        expectAsks(patient.readWriteLock("a", LockOptions.defaults().renewedLease(LONG))
                .readLock());
        first.close();
    }

    @Test
    void v10_noReaderJoinsOnceTheStoreHasSaidThatAnotherClientWaits() throws Exception {
        LockHandle first = reading.acquire();
        CompletableFuture<LockHandle> writer =
                other.readWriteLock("a").writeLock().acquireAsync();
        event("wanted");

        assertThat(reading.tryAcquire()).isEmpty();

        first.close();
        get(writer).close();
    }

    @Test
    void v10_noReaderJoinsWhileAWriterOfTheClientWaits() throws Exception {
        LockHandle first = reading.acquire();
        Task<LockHandle> writer = startWaiting(writing::acquire);
        awaitQueued(1);

        assertThat(reading.tryAcquire()).isEmpty();

        first.close();
        LockHandle written = get(writer);
        assertThat(written.fencingToken()).isGreaterThan(first.fencingToken());
        written.close();
    }

    @Test
    void v6_readersJoinAgainWhenTheWriterHasGivenUp() throws Exception {
        LockHandle first = reading.acquire();
        Task<LockHandle> writer = startWaiting(writing::acquire);
        awaitQueued(1);
        writer.thread.interrupt();
        awaitQueued(0);
        int before = backend.attempts.get();

        reading.acquire().close();

        assertThat(backend.attempts).hasValue(before);
        first.close();
        expectNothingLeft();
    }

    @Test
    void s8_noReaderJoinsALeaseInDoubt() throws Exception {
        LockHandle first = reading.acquire();
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("planted");
        };
        store.advance(Duration.ofSeconds(12));
        assertThat(first.state()).isEqualTo(State.SUSPECT);

        LockHandle second = reading.acquire();

        assertThat(base(second)).isGreaterThan(base(first));
        closeAll(List.of(first, second));
    }

    // The end of a shared lease

    @Test
    void s5_theLeaseIsReleasedWithItsLastHold() throws Exception {
        LockHandle first = reading.acquire();
        LockHandle second = reading.acquire();

        assertThat(first.release()).isEqualTo(Release.RELEASED);

        assertThat(first.isHeld()).isFalse();
        assertThat(second.isHeld()).isTrue();
        assertThat(other.readWriteLock("a").writeLock().tryAcquire()).isEmpty();
        assertThat(second.release()).isEqualTo(Release.RELEASED);
        other.readWriteLock("a").writeLock().tryAcquire().orElseThrow().close();
        expectNothingLeft();
    }

    @Test
    void v10_aReleasedLeaseOfReadersIsNotHandedToOneBehindAWriter() throws Exception {
        LockHandle first = reading.acquire();
        Task<LockHandle> writer = startWaiting(writing::acquire);
        awaitQueued(1);
        CompletableFuture<LockHandle> reader = reading.acquireAsync();
        awaitQueued(2);

        first.close();

        LockHandle written = get(writer);
        assertThat(reader).isNotDone();
        written.close();
        get(reader).close();
        expectNothingLeft();
    }

    @Test
    void s6_aLossEndsAllHoldsOfALease() throws Exception {
        LockHandle first = reading.acquire();
        LockHandle second = reading.acquire();
        var ofFirst = losses(first);
        var ofSecond = losses(second);

        store.lose("a");

        expectLoss(LossReason.GONE, ofFirst);
        expectLoss(LossReason.GONE, ofSecond);
        assertThat(first.release()).isEqualTo(Release.LOST);
        assertThat(second.release()).isEqualTo(Release.LOST);
        expectNothingLeft();
    }

    @Test
    void aMaximumHoldEndsOneHoldAndTheLastEndsTheLease() throws Exception {
        DistributedLock bounded = patient.readWriteLock(
                        "a", LockOptions.defaults().maximumHold(LEASE))
                .readLock();
        LockHandle first = bounded.acquire();
        store.advance(Duration.ofSeconds(10));
        LockHandle second = bounded.acquire();
        assertThat(second.fencingToken()).isEqualTo(first.fencingToken());
        var ofFirst = losses(first);
        var ofSecond = losses(second);

        store.advance(LEASE.minusSeconds(10));
        expectLoss(LossReason.MAXIMUM_HOLD, ofFirst);
        assertThat(second.isHeld()).isTrue();
        assertThat(other.readWriteLock("a").writeLock().tryAcquire()).isEmpty();

        store.advance(Duration.ofSeconds(10));
        expectLoss(LossReason.MAXIMUM_HOLD, ofSecond);
        expectNothingLeft();
    }

    @Test
    void v9_aDroppedHandleOfASharedLeaseEndsOnlyItsHold() throws Exception {
        LockHandle kept = reading.acquire();
        long token = reading.acquire().fencingToken();

        Await.until("the leak is reported", () -> {
            System.gc();
            store.advance(Duration.ofSeconds(1));
            return count("leaked") > 0;
        });

        assertThat(event("leaked").event().fencingToken()).isEqualTo(token);
        assertThat(kept.isHeld()).isTrue();
        kept.close();
        expectNothingLeft();
    }

    @Test
    void v5_closingTheClientEndsASharedLeaseOnce() throws Exception {
        LockHandle first = reading.acquire();
        LockHandle second = reading.acquire();

        patient.close();

        assertThat(first.state()).isEqualTo(State.LOST);
        assertThat(second.state()).isEqualTo(State.LOST);
        assertThat(backend.batchesOfReleases).hasValue(1);
        expectNothingLeft();
    }

    // Modes

    @Test
    void s9_aWriterWaitsForAllReaders() throws Exception {
        LockHandle first = reading.acquire();
        LockHandle second = other.readWriteLock("a").readLock().acquire();
        Task<LockHandle> writer = startWaiting(writing::acquire);
        awaitQueued(1);

        first.close();
        assertThat(writer).isNotDone();
        second.close();

        LockHandle written = get(writer);
        assertThat(written.fencingToken()).isGreaterThan(second.fencingToken());
        assertThat(reading.tryAcquire()).isEmpty();
        written.close();
        expectNothingLeft();
    }

    @Test
    void v3_writersOfOneClientHandTheLockToEachOther() throws Exception {
        LockHandle first = writing.acquire();
        CompletableFuture<LockHandle> second = writing.acquireAsync();

        first.close();

        assertThat(get(second).fencingToken()).isEqualTo(first.fencingToken() + 1);
        get(second).close();
    }

    @Test
    void s12_aNameHasOneKind() throws Exception {
        LockHandle held = reading.acquire();

        assertThatThrownBy(lock::acquire)
                .isInstanceOf(LockException.class)
                .hasMessageContaining("\"a\"")
                .hasMessageContaining("read-write lock")
                .hasMessageContaining("used as a lock");
        assertThatThrownBy(client.semaphore("a", 1).permit()::tryAcquire).isInstanceOf(LockException.class);

        held.close();
        lock.acquire().close();
        Await.until("nothing is left", () -> store.size() == 0);
    }

    // Upgrade

    @Test
    void s9_anUpgradeIsRefusedAtOnce() throws Exception {
        LockHandle held = reading.acquire();

        for (Way way : Way.values()) {
            assertThatThrownBy(() -> way.acquire(writing, LONG))
                    .as("%s", way)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("\"a\"")
                    .hasMessageContaining("holds the read lock");
        }
        DistributedLock otherOptions =
                patient.readWriteLock("a", LockOptions.defaults().fair()).writeLock();
        assertThatThrownBy(otherOptions::acquire).isInstanceOf(IllegalStateException.class);
        assertFails(writing.acquireAsync()).isInstanceOf(IllegalStateException.class);
        assertThat(onAnotherThread(() -> writing.tryAcquire().isEmpty()))
                .as("another thread waits")
                .isTrue();

        held.close();
        writing.acquire().close();
    }

    @Test
    void s9_aThreadThatHasDetachedItsReadHoldWaitsForItLikeOthers() throws Exception {
        LockHandle passedOn = reading.acquire();
        passedOn.detach();

        assertThat(writing.tryAcquire()).isEmpty();

        passedOn.close();
        writing.acquire().close();
    }

    // Races

    @Test
    void v10_aWaitingReaderTakesTheGrantOfAHeadThatHasGivenUp() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answers = new CountDownLatch(1);
        AtomicReference<Contender> head = new AtomicReference<>();
        backend.asking = (contender, deadline) -> {
            if (head.compareAndSet(null, contender)) {
                asked.countDown();
                Await.open(answers);
            }
            return contender.attempt(deadline);
        };
        CompletableFuture<LockHandle> impatient = reading.acquireAsync();
        Await.open(asked);
        CompletableFuture<LockHandle> next = reading.acquireAsync();
        impatient.cancel(false);

        answers.countDown();

        LockHandle held = get(next);
        assertThat(held.isHeld()).isTrue();
        assertThat(backend.attempts).hasValue(1);
        held.close();
        expectNothingLeft();
    }
}
