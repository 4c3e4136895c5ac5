package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
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
        expectTold("waiting", "timedOut");
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

    @Test
    void api_busyTriesAreNotTold() throws Exception {
        LockHandle before = other.lock("a").acquire();

        assertThat(lock.tryAcquire()).isEmpty();
        before.close();
        lock.acquire().close();

        expectTold("acquired", "released");
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
                .filter(kind -> !kind.equals("renewed"))
                .toList();
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
