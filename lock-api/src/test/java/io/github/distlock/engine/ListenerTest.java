package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.AcquireOutcome;
import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LockUsage;
import io.github.distlock.LossReason;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What listeners are told, and that they hurt nobody. */
class ListenerTest extends EngineTest {

    @Test
    void api_acquireAndReleaseAreTold() throws Exception {
        LockHandle held = lock.acquire();
        held.close();

        expectTold("acquired", "released");
        assertThat(event("acquired", held).event().duration()).isGreaterThanOrEqualTo(Duration.ZERO);
        assertThat(event("released", held).detail()).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void api_waitsAndTheirLengthAreTold() throws Exception {
        Duration time = Duration.ofSeconds(5);
        LockHandle before = other.lock("a").acquire();

        Task<LockHandle> waiter = startWaiting(lock::acquire);
        store.advance(time);
        before.close();
        LockHandle held = get(waiter);
        store.advance(time);
        held.close();

        expectTold("waiting", "acquired", "released");
        assertThat(event("waiting").event()).hasToString("lock \"a\", token 0, PT0S");
        assertThat(event("acquired", held).event().duration()).isGreaterThanOrEqualTo(time);
        assertThat(event("released", held).event().duration()).isGreaterThanOrEqualTo(time);
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMED", "TIMED_ASYNC"})
    void api_aWaitThatTimedOutIsToldWithWhatBlockedIt(Way way) throws Exception {
        Duration time = Duration.ofSeconds(5);
        LockHandle before = other.lock("a").acquire();
        backend.blocker = () -> Optional.of("planted");

        Task<Optional<LockHandle>> waiter = startWaiting(() -> way.acquire(lock, time));
        store.advance(time);

        assertThat(get(waiter)).isEmpty();
        expectTold("waiting", "timedOut", "notAcquired");
        assertThat(event("timedOut").event().lockName()).isEqualTo("a");
        assertThat(event("timedOut").event().duration()).isGreaterThanOrEqualTo(time);
        assertThat(event("timedOut").detail()).isEqualTo("planted");
        before.close();
        expectNothingLeft();
    }

    @Test
    void api_aWaitThatTimedOutBehindItsOwnClientIsTold() throws Exception {
        Duration time = Duration.ofSeconds(5);
        LockHandle before = lock.acquire();
        backend.blocker = () -> Optional.of("planted");

        Task<Optional<LockHandle>> waiter = startWaiting(() -> lock.tryAcquire(time));
        store.advance(time);

        assertThat(get(waiter)).isEmpty();
        assertThat(event("timedOut").detail()).isEqualTo("another caller of this client holds it");
        before.close();
        expectNothingLeft();
    }

    @Test
    void v4_aWaitEndsInTimeIfItsBlockerCannotBeDescribed() throws Exception {
        Duration time = Duration.ofSeconds(5);
        LockHandle before = other.lock("a").acquire();
        backend.blocker = () -> {
            throw new AssertionError("planted");
        };

        Task<Optional<LockHandle>> waiter = startWaiting(() -> lock.tryAcquire(time));
        store.advance(time);

        assertThat(get(waiter)).isEmpty();
        assertThat(event("timedOut").detail()).asString().contains("planted");
        before.close();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC", "TIMED", "TIMED_ASYNC"})
    void api_anAcquireOfABusyLockIsTold(Way way) throws Exception {
        LockHandle before = other.lock("a").acquire();

        // So long that the store is asked before it is over, even on a busy machine.
        assertThat(way.acquire(lock, Duration.ofMillis(500))).isEmpty();

        expectNotAcquired(AcquireOutcome.BUSY, way.name().endsWith("ASYNC"));
        before.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TRY_ASYNC"})
    void api_anAcquireWithoutAnAnswerIsTold(Way way) {
        backend.asking = (contender, deadline) -> {
            throw new IllegalStateException("planted");
        };

        assertThatThrownBy(() -> way.acquire(lock, LONG)).isInstanceOf(LockException.class);

        expectNotAcquired(AcquireOutcome.UNAVAILABLE, way.name().endsWith("ASYNC"));
    }

    @ParameterizedTest
    @EnumSource
    void api_aRefusedAcquireIsTold(Way way) {
        backend.asking = (contender, deadline) -> {
            throw new RequestRefusedException("planted", null);
        };

        assertThatThrownBy(() -> way.acquire(lock, LONG)).isInstanceOf(LockException.class);

        expectNotAcquired(AcquireOutcome.REFUSED, way.name().endsWith("ASYNC"));
    }

    @Test
    void api_anAcquireOnAThreadThatMustNotWaitIsTold() {
        backend.threadCheck = () -> {
            throw new RequestRefusedException("planted", null);
        };

        assertThatThrownBy(lock::acquire).isInstanceOf(LockException.class);

        expectNotAcquired(AcquireOutcome.REFUSED, false);
    }

    @Test
    void api_anInterruptedWaitIsTold() throws Exception {
        LockHandle before = other.lock("a").acquire();

        Task<LockHandle> waiter = startWaiting(lock::acquire);
        waiter.thread.interrupt();

        assertFails(waiter).isInstanceOf(InterruptedException.class);
        expectNotAcquired(AcquireOutcome.INTERRUPTED, false);
        before.close();
    }

    @Test
    void api_anAcquireOfAnInterruptedThreadIsTold() {
        Thread.currentThread().interrupt();

        assertThatThrownBy(lock::acquire).isInstanceOf(InterruptedException.class);

        expectNotAcquired(AcquireOutcome.INTERRUPTED, false);
    }

    @Test
    void api_aCanceledAcquireIsTold() throws Exception {
        LockHandle before = other.lock("a").acquire();

        CompletableFuture<LockHandle> waiter = lock.acquireAsync();
        event("waiting");
        waiter.cancel(false);

        expectNotAcquired(AcquireOutcome.CANCELLED, true);
        before.close();
        expectNothingLeft();
    }

    @Test
    void api_anAcquireThatIsCanceledWhenItsHoldIsOnTheWayIsTold() {
        BlockingQueue<Runnable> callbacks = new LinkedBlockingQueue<>();
        LockClient client = open(settings().callbackExecutor(callbacks::add));

        CompletableFuture<LockHandle> acquire = client.lock("a").acquireAsync();
        Await.until("the hold is on the way", () -> !callbacks.isEmpty());
        acquire.cancel(false);
        Await.until("the callbacks have run", () -> {
            Optional.ofNullable(callbacks.poll()).ifPresent(Runnable::run);
            return count("notAcquired") > 0;
        });

        expectNotAcquired(AcquireOutcome.CANCELLED, true);
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "ASYNC"})
    void api_anAcquireThatEndsWithItsClientIsTold(Way way) throws Exception {
        LockHandle before = other.lock("a").acquire();

        Task<Optional<LockHandle>> waiter = startWaiting(() -> way.acquire(lock, LONG));
        client.close();

        assertFails(waiter).isInstanceOf(LockException.class);
        expectNotAcquired(AcquireOutcome.CANCELLED, way == Way.ASYNC);
        before.close();
    }

    @Test
    void api_eachListenerOfAClientIsTold() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        LockClient client = open(LockClient.builder(store.connect())
                .listener(journal("first", told))
                .listener(journal("second", told)));

        client.lock("a").acquire().close();

        Await.until("both are told", () -> told.size() == 4);
        assertThat(told).containsExactly("first acquired", "second acquired", "first released", "second released");
    }

    private static LockListener journal(String name, List<String> told) {
        return new LockListener() {
            @Override
            public void acquired(LockEvent event) {
                told.add(name + " acquired");
            }

            @Override
            public void released(LockEvent event, LockHandle.Release outcome) {
                told.add(name + " released");
            }
        };
    }

    @Test
    void api_aListenerThatWasTooSlowIsToldHowManyEventsItMissed() throws Exception {
        CountDownLatch blocks = new CountDownLatch(1);
        listening = event -> Await.open(blocks);
        int cycles = 5_010;
        for (int i = 0; i < cycles; i++) {
            lock.acquire().close();
        }

        listening = event -> {};
        blocks.countDown();

        long dropped = (Long) event("eventsDropped").detail();
        Await.until("the rest is told", () -> count("acquired") + count("released") + dropped == 2 * cycles);
        assertThat(dropped).isPositive();
    }

    // Usage

    @Test
    void api_theUsageOfAClientCountsItsHoldsAndWaiters() throws Exception {
        DistributedReadWriteLock shared = client.readWriteLock("b");
        LockHandle reading = shared.readLock().acquire();
        LockHandle alsoReading = shared.readLock().acquire();
        LockHandle before = other.lock("a").acquire();
        assertThat(client.usage()).containsExactly(new LockUsage("b", 2, 0));

        Task<LockHandle> waiter = startWaiting(lock::acquire);
        Task<LockHandle> writer = startWaiting(shared.writeLock()::acquire);
        CompletableFuture<LockHandle> withoutThread = lock.acquireAsync();
        Await.until("three wait", () -> count("waiting") == 3);

        assertThat(client.usage()).containsExactlyInAnyOrder(new LockUsage("a", 0, 2), new LockUsage("b", 2, 1));

        withoutThread.cancel(false);
        reading.close();
        alsoReading.close();
        before.close();
        get(writer).close();
        get(waiter).close();
        assertThat(client.usage()).isEmpty();
        assertThat(client.name()).startsWith("tested");
    }

    @Test
    void api_passesAreTold() throws Exception {
        DistributedLock handedOff = open(settings().localHandoff(64, LONG)).lock("a");
        LockHandle held = handedOff.acquire();
        Task<LockHandle> waiter = startWaiting(handedOff::acquire);

        held.close();
        LockHandle next = get(waiter);
        next.close();

        Await.until("both ends are told", () -> count("released") == 2);
        assertThat(kinds())
                .containsExactlyInAnyOrder("waiting", "acquired", "acquired", "handedOff", "released", "released");
        assertThat(event("handedOff", next).event().fencingToken()).isGreaterThan(held.fencingToken());
        assertThat(event("handedOff").detail()).isEqualTo(HandoffKind.LOCAL);
        expectNothingLeft();
    }

    @Test
    void api_aLossIsToldOnce() throws Exception {
        LockHandle held = lock.acquire();
        memory.pause();
        store.advance(LEASE);
        memory.resume();

        assertThat(event("lost", held).detail()).isEqualTo(LossReason.EXPIRED);
        assertThat(event("lost").event().duration()).isPositive();
        held.release();
        client.lock("b").acquire().close();
        expectTold("acquired", "suspect", "lost", "acquired", "released");
        expectNothingLeft();
    }

    @Test
    void s8_doubtAndTheRenewalThatEndsItAreTold() throws Exception {
        LockHandle held = lock.acquire();
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("planted");
        };

        store.advance(Duration.ofSeconds(12));
        assertThat(event("suspect", held).event().duration()).isPositive().isLessThan(LEASE);
        Await.until("more than one failed renewal is told", () -> count("renewalFailed") > 1);
        assertThat(event("renewalFailed", held).detail())
                .isInstanceOf(IllegalStateException.class)
                .hasToString("java.lang.IllegalStateException: planted");
        assertThat(count("suspect")).isOne();
        assertThat(held.state()).isEqualTo(LockHandle.State.SUSPECT);
        assertThat(held.isHeld()).isTrue();

        backend.renewing = memory::renewAll;
        store.advance(Duration.ofSeconds(2));
        event("renewed", held);
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
    }

    @Test
    void v8_aLossListenerThatThrowsHurtsNobody() throws Exception {
        LockHandle lost = lock.acquire();
        LockHandle kept = client.lock("b").acquire();
        lost.onLost(loss -> {
            throw new AssertionError("planted");
        });
        List<LockLoss> losses = losses(lost);

        store.lose("a");
        store.advance(LEASE.multipliedBy(2));

        expectLoss(LossReason.GONE, losses);
        assertThat(kept.state()).isEqualTo(LockHandle.State.HELD);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v8_aLossListenerThatBlocksHurtsNobody(boolean runsInline) throws Exception {
        LockClient client = open(runsInline ? settings().callbackExecutor(Runnable::run) : settings());
        LockHandle lost = client.lock("a").acquire();
        LockHandle kept = client.lock("b").acquire();
        lost.onLost(loss -> Await.open(end));
        List<LockLoss> losses = losses(lost);
        List<LockLoss> laterLosses = losses(kept);

        store.lose("a");
        expectLoss(LossReason.GONE, losses);
        store.advance(LEASE.multipliedBy(2));
        assertThat(kept.state()).isEqualTo(LockHandle.State.HELD);
        store.lose("b");
        expectLoss(LossReason.GONE, laterLosses);
        client.lock("a").tryAcquire().orElseThrow().close();

        assertThat(start(Executors.callable(client::close))).succeedsWithin(LATE);
    }

    @Test
    void v8_aClientListenerThatThrowsIsToldWhatFollows() throws Exception {
        listening = event -> {
            throw new AssertionError("planted");
        };

        lock.acquire().close();

        expectTold("acquired", "released");
    }

    @Test
    void v8_aClientListenerThatBlocksHurtsNobody() throws Exception {
        listening = event -> Await.open(end);

        for (int i = 0; i < 3; i++) {
            get(start(lock::acquire)).close();
        }
        List<LockLoss> losses = losses(get(start(lock::acquire)));
        store.lose("a");
        expectLoss(LossReason.GONE, losses);

        assertThat(start(Executors.callable(client::close))).succeedsWithin(LATE);
    }

    /** Renewals aside. */
    private List<String> kinds() {
        return events.stream()
                .map(Event::kind)
                .filter(kind -> !kind.startsWith("renew"))
                .toList();
    }

    private void expectNotAcquired(AcquireOutcome outcome, boolean asynchronous) {
        Event event = event("notAcquired");
        assertThat(event.detail()).isEqualTo(outcome);
        assertThat(event.event().lockName()).isEqualTo("a");
        assertThat(event.event().isAsynchronous()).isEqualTo(asynchronous);
        assertThat(event.event().duration()).isGreaterThanOrEqualTo(Duration.ZERO);
        assertThat(count("notAcquired")).isOne();
    }

    private void expectTold(String... kinds) {
        Await.until("told " + List.of(kinds), () -> kinds().equals(List.of(kinds)));
    }

    /** The first event of a kind, which has to be about this hold. */
    @CanIgnoreReturnValue
    private Event event(String kind, LockHandle held) {
        Event event = event(kind);
        assertThat(event.event().lockName()).isEqualTo(held.lockName());
        assertThat(event.event().fencingToken()).isEqualTo(held.fencingToken());
        return event;
    }
}
