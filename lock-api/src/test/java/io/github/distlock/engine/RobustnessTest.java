package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Backends, listeners, executors and settings that misbehave: each hurts itself at most. */
class RobustnessTest extends EngineTest {

    @Test
    void v8_renewalGoesOnAfterTheOnlyLeaseWasLost() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofSeconds(1));
        for (int i = 0; i < 30; i++) {
            InMemoryStore store = new InMemoryStore();
            InMemoryBackend backend = store.connect();
            LockClient client = open(LockClient.builder(backend).defaultOptions(options));
            LockHandle lost = client.lock("lost").acquire();
            backend.pause();
            store.advance(Duration.ofSeconds(1));
            assertThat(lost.isHeld()).isFalse();
            backend.resume();
            LockHandle renewed = client.lock("renewed").acquire();
            store.advance(Duration.ofSeconds(2));
            assertThat(renewed.isHeld()).as("round %s", i).isTrue();
            client.close();
        }
    }

    @Test
    void s1_anOfferThatWasRefusedNeverTakesTheLeaseFromItsNextHolder() throws Exception {
        DistributedLock lock = open(settings().localHandoff(64, LONG)).lock("a");
        for (int i = 0; i < 300; i++) {
            LockHandle held = lock.acquire();
            CompletableFuture<LockHandle> refuses = lock.acquireAsync();
            CompletableFuture<?> released = refuses.thenAccept(LockHandle::release);
            CompletableFuture<LockHandle> takes = lock.acquireAsync();
            CompletableFuture<?> cancelled = CompletableFuture.runAsync(() -> refuses.cancel(false));
            held.release();
            get(cancelled);
            LockHandle next = get(takes);
            if (i % 100 == 99) {
                System.gc();
                store.advance(Duration.ofSeconds(2));
            }
            assertThat(next.isHeld()).isTrue();
            assertThat(next.release()).isEqualTo(Release.RELEASED);
            Await.until("the other acquire has ended", released::isDone);
        }
        expectNothingLeft();
    }

    @Test
    void v4_aTimedAsynchronousAcquireEndsInTimeWhenAllRequestsHang() throws Exception {
        LockClient client = open(settings().requestTimeout(LONG));
        memory.pause();
        List<CompletableFuture<LockHandle>> others = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            others.add(client.lock("other" + i).acquireAsync());
        }
        CompletableFuture<Optional<LockHandle>> timed = client.lock("a").tryAcquireAsync(Duration.ofMillis(50));
        assertThatThrownBy(() -> get(timed)).hasCauseInstanceOf(LockException.class);
        others.forEach(other -> other.cancel(false));
    }

    @Test
    void dependentsOfReleaseAsyncThatBlockHoldUpNothing() throws Exception {
        for (int i = 0; i < 40; i++) {
            LockHandle held = client.lock("lock" + i).acquire();
            memory.pause();
            var unused = held.releaseAsync().thenAccept(outcome -> Await.open(end));
            memory.resume();
        }
        LockHandle held = get(lock.acquireAsync());
        assertThat(get(held.releaseAsync())).isEqualTo(Release.RELEASED);
    }

    @Test
    void aCallbackExecutorThatThrowsIsReplaced() throws Exception {
        LockClient client = open(settings().callbackExecutor(task -> {
            throw new IllegalStateException("shut down");
        }));
        List<LockLoss> losses = losses(get(client.lock("a").acquireAsync()));
        store.lose("a");
        expectLoss(LossReason.GONE, losses);
    }

    @Test
    void dependentsOfAFutureStillRunWhenTheClientIsClosed() throws Exception {
        CompletableFuture<LockHandle> future = lock.acquireAsync();
        get(future).release();
        client.close();
        assertThat(get(future.thenApplyAsync(LockHandle::lockName))).isEqualTo("a");
    }

    @Test
    void aMaximumHoldOfANanosecondAsksOnce() {
        LockOptions options = LockOptions.defaults().maximumHold(Duration.ofNanos(1));
        LockHandle held = client.lock("a", options).tryAcquire().orElseThrow();
        assertThat(held.state()).isEqualTo(State.LOST);
        assertThatThrownBy(held::close)
                .isInstanceOfSatisfying(
                        LockLostException.class,
                        lost -> assertThat(lost.loss().reason()).isEqualTo(LossReason.MAXIMUM_HOLD));
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void s2_grantsThatAreUsedUpOnArrivalAreNotAskedForAgainAtOnce() {
        backend.asking = (contender, deadline) -> contender.attempt(deadline) instanceof Attempt.Granted granted
                ? Attempt.granted(usedUp(granted.grant()))
                : Attempt.busy(Duration.ZERO);
        assertThatThrownBy(() -> lock.tryAcquire(Duration.ofMillis(300))).isInstanceOf(LockException.class);
        assertThat(backend.attempts.get()).isBetween(1, 20);
        expectNothingLeft();
    }

    private static Grant usedUp(Grant grant) {
        Validity over = Validity.of(grant.validity().from(), Duration.ofMillis(1));
        Grant first = overriding(Grant.class, grant, "validity", () -> over);
        return overriding(Grant.class, first, "latestValidity", () -> over);
    }

    @Test
    void v8_aLargeGuardIsNoReasonToRenewTooLate() throws Exception {
        LockClient client = open(settings().clockGuard(Duration.ofSeconds(25)));
        LockHandle held = client.lock("a").acquire();
        store.advance(Duration.ofMinutes(5));
        assertThat(held.isHeld()).isTrue();
    }

    @Test
    void aRefusalFailsAtOnceInTheServersWords() {
        backend.asking = (contender, deadline) -> {
            throw new RequestRefusedException("NOPERM no rights to this key", null);
        };
        assertThatThrownBy(() -> client.lock("orders").acquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("orders")
                .hasMessageContaining("NOPERM no rights to this key");
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void anErrorOfTheBackendReachesTheCallerAndEndsTheAcquire() {
        backend.asking = (contender, deadline) -> {
            throw new StackOverflowError("planted");
        };
        assertThatThrownBy(lock::acquire).isInstanceOf(StackOverflowError.class).hasMessage("planted");
        assertThatThrownBy(() -> get(lock.acquireAsync())).hasRootCauseInstanceOf(StackOverflowError.class);
    }

    @Test
    void anAnswerOfNullIsNoGrant() {
        backend.asking = (contender, deadline) -> null;
        assertThatThrownBy(lock::tryAcquire).isInstanceOf(LockException.class);
    }

    @Test
    void aRenewalThatIsNotAnsweredIsSentAgainAfterAPause() throws Exception {
        AtomicInteger renewals = new AtomicInteger();
        backend.renewing = (due, deadline) -> renewals.incrementAndGet();
        LockHandle held = lock.acquire();
        store.advance(Duration.ofSeconds(15));
        assertThat(held.state()).isEqualTo(State.SUSPECT);
        assertThat(renewals.get()).isBetween(2, 10);
    }

    @Test
    void v8_aRenewalThatFailsIsSentAgainAndTheHoldGoesOn() throws Exception {
        AtomicInteger failures = new AtomicInteger();
        backend.renewing = (due, deadline) -> {
            if (failures.incrementAndGet() <= 2) {
                throw new IllegalStateException("planted");
            }
            memory.renewAll(due, deadline);
        };
        LockHandle held = lock.acquire();

        store.advance(LEASE.multipliedBy(4));

        assertThat(held.state()).isEqualTo(State.HELD);
        assertThat(failures.get()).isGreaterThan(2);
        assertThat(held.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void heartbeatsFollowTheIntervalThatTheBackendKnowsAfterItHasConnected() throws Exception {
        LockHandle held = other.lock("a").acquire();
        backend.heartbeatInterval = Duration.ofHours(1);
        Task<LockHandle> waiter = startWaiting(lock::acquire);
        awaitQueued(1);

        backend.heartbeatInterval = Duration.ofSeconds(3);
        store.advance(Duration.ofHours(1));
        int first = backend.heartbeats.get();
        store.advance(Duration.ofSeconds(10));

        assertThat(first).isPositive();
        assertThat(backend.heartbeats.get()).isGreaterThanOrEqualTo(first + 3);
        held.release();
        get(waiter).close();
    }
}
