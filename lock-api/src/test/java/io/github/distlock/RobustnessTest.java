package io.github.distlock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Backends, listeners, executors and settings that misbehave: each hurts itself at most. */
class RobustnessTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private final InMemoryStore store = new InMemoryStore();
    private final InMemoryBackend memory = store.connect();
    private final List<AutoCloseable> closed = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        memory.resume();
        for (AutoCloseable each : closed) {
            each.close();
        }
    }

    private LockClient client(LockClientBuilder builder) {
        LockClient client = builder.shutdownTimeout(Duration.ZERO).build();
        closed.add(client);
        return client;
    }

    @Test
    void v8_renewalGoesOnAfterTheOnlyLeaseWasLost() throws Exception {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofMillis(600));
        for (int i = 0; i < 30; i++) {
            InMemoryStore store = new InMemoryStore();
            InMemoryBackend backend = store.connect();
            LockClient client = client(LockClient.builder(backend).defaultOptions(options));
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
        LockClient client = client(LockClient.builder(memory).passing(64, LONG));
        DistributedLock lock = client.lock("a");
        for (int i = 0; i < 300; i++) {
            LockHandle held = lock.acquire();
            CompletableFuture<LockHandle> refuses = lock.acquireAsync();
            CompletableFuture<?> released = refuses.thenAccept(LockHandle::release);
            CompletableFuture<LockHandle> takes = lock.acquireAsync();
            CompletableFuture<?> cancelled = CompletableFuture.runAsync(() -> refuses.cancel(false));
            held.release();
            cancelled.get(20, TimeUnit.SECONDS);
            LockHandle next = takes.get(20, TimeUnit.SECONDS);
            if (i % 100 == 99) {
                System.gc();
                store.advance(Duration.ofSeconds(2));
            }
            assertThat(next.isHeld()).isTrue();
            assertThat(next.release()).isEqualTo(LockHandle.Release.RELEASED);
            Await.until("the other acquire has ended", released::isDone);
        }
        Await.until("nothing is left", () -> store.size() == 0);
    }

    @Test
    void v4_aTimedAsynchronousAcquireEndsInTimeWhenAllRequestsHang() throws Exception {
        LockClient client = client(LockClient.builder(memory).requestTimeout(LONG));
        memory.pause();
        List<CompletableFuture<LockHandle>> others = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            others.add(client.lock("other" + i).acquireAsync());
        }
        CompletableFuture<Optional<LockHandle>> timed = client.lock("a").tryAcquireAsync(Duration.ofMillis(50));
        assertThatThrownBy(() -> timed.get(20, TimeUnit.SECONDS)).hasCauseInstanceOf(LockException.class);
        others.forEach(other -> other.cancel(false));
    }

    @Test
    void dependentsOfReleaseAsyncThatBlockHoldUpNothing() throws Exception {
        LockClient client = client(LockClient.builder(memory));
        CountDownLatch blocked = new CountDownLatch(1);
        closed.add(0, blocked::countDown);
        for (int i = 0; i < 40; i++) {
            var unused = client.lock("lock" + i).acquire().releaseAsync().thenAccept(outcome -> Await.open(blocked));
        }
        LockHandle held = client.lock("a").acquireAsync().get(20, TimeUnit.SECONDS);
        assertThat(held.releaseAsync().get(20, TimeUnit.SECONDS)).isEqualTo(LockHandle.Release.RELEASED);
    }

    @Test
    void aCallbackExecutorThatThrowsIsReplaced() throws Exception {
        LockClient client = client(LockClient.builder(memory).callbackExecutor(task -> {
            throw new IllegalStateException("shut down");
        }));
        LockHandle held = client.lock("a").acquireAsync().get(20, TimeUnit.SECONDS);
        CountDownLatch told = new CountDownLatch(1);
        held.onLost(loss -> told.countDown());
        store.lose("a");
        assertThat(told.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void v8_aCallbackExecutorThatRunsInlineBlocksNoRenewal() throws Exception {
        LockClient client = client(LockClient.builder(memory).callbackExecutor(Runnable::run));
        LockHandle lost = client.lock("a").acquire();
        LockHandle other = client.lock("b").acquire();
        CountDownLatch blocked = new CountDownLatch(1);
        closed.add(0, blocked::countDown);
        lost.onLost(loss -> Await.open(blocked));
        store.lose("a");
        store.advance(Duration.ofMinutes(5));
        assertThat(other.isHeld()).isTrue();
    }

    @Test
    void dependentsOfAFutureStillRunWhenTheClientIsClosed() throws Exception {
        LockClient client = client(LockClient.builder(memory));
        CompletableFuture<LockHandle> future = client.lock("a").acquireAsync();
        LockHandle held = future.get(20, TimeUnit.SECONDS);
        held.release();
        client.close();
        assertThat(future.thenApplyAsync(LockHandle::lockName).get(20, TimeUnit.SECONDS))
                .isEqualTo("a");
    }

    @Test
    void aMaximumHoldOfANanosecondAsksOnce() throws Exception {
        TestBackend backend = new TestBackend(memory);
        LockClient client = client(LockClient.builder(backend));
        LockOptions options = LockOptions.defaults().maximumHold(Duration.ofNanos(1));
        LockHandle held = client.lock("a", options).tryAcquire().orElseThrow();
        assertThat(held.state()).isEqualTo(LockHandle.State.LOST);
        assertThatThrownBy(held::close)
                .isInstanceOfSatisfying(
                        LockLostException.class,
                        lost -> assertThat(lost.loss().reason()).isEqualTo(LossReason.MAXIMUM_HOLD));
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void s2_grantsThatAreUsedUpOnArrivalAreNotAskedForAgainAtOnce() throws Exception {
        TestBackend backend = new TestBackend(memory) {
            @Override
            Attempt attempt(Contender contender, Deadline deadline) throws InterruptedException {
                return contender.attempt(deadline) instanceof Attempt.Granted granted
                        ? Attempt.granted(usedUp(granted.grant()))
                        : Attempt.busy(Duration.ZERO);
            }
        };
        LockClient client = client(LockClient.builder(backend));
        assertThatThrownBy(() -> client.lock("a").tryAcquire(Duration.ofMillis(300)))
                .isInstanceOf(LockException.class);
        assertThat(backend.attempts.get()).isBetween(1, 20);
        Await.until("nothing is left", () -> store.size() == 0);
    }

    private Grant usedUp(Grant grant) {
        return new Grant() {
            @Override
            public long fencingBase() {
                return grant.fencingBase();
            }

            @Override
            public Validity validity() {
                return Validity.of(grant.validity().from(), Duration.ofMillis(1));
            }

            @Override
            public Release release(Deadline deadline) throws InterruptedException {
                return grant.release(deadline);
            }
        };
    }

    @Test
    void v8_aLargeGuardIsNoReasonToRenewTooLate() throws Exception {
        LockClient client = client(LockClient.builder(memory).clockGuard(Duration.ofSeconds(25)));
        LockHandle held = client.lock("a").acquire();
        store.advance(Duration.ofMinutes(5));
        assertThat(held.isHeld()).isTrue();
    }

    @Test
    void aRefusalFailsAtOnceInTheServersWords() {
        TestBackend backend = new TestBackend(memory) {
            @Override
            Attempt attempt(Contender contender, Deadline deadline) {
                throw new RequestRefusedException("NOPERM no rights to this key", null);
            }
        };
        LockClient client = client(LockClient.builder(backend));
        assertThatThrownBy(() -> client.lock("orders").acquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("orders")
                .hasMessageContaining("NOPERM no rights to this key");
        assertThat(backend.attempts).hasValue(1);
    }

    @Test
    void anErrorOfTheBackendReachesTheCallerAndEndsTheAcquire() {
        TestBackend backend = new TestBackend(memory) {
            @Override
            Attempt attempt(Contender contender, Deadline deadline) {
                throw new StackOverflowError("planted");
            }
        };
        LockClient client = client(LockClient.builder(backend));
        assertThatThrownBy(() -> client.lock("a").acquire())
                .isInstanceOf(StackOverflowError.class)
                .hasMessage("planted");
        assertThatThrownBy(() -> client.lock("a").acquireAsync().get(20, TimeUnit.SECONDS))
                .hasRootCauseInstanceOf(StackOverflowError.class);
    }

    @Test
    void anAnswerOfNullOrABaseOutOfBoundsIsNoGrant() {
        TestBackend backend = new TestBackend(memory) {
            @Override
            Attempt attempt(Contender contender, Deadline deadline) {
                return null;
            }
        };
        LockClient client = client(LockClient.builder(backend));
        assertThatThrownBy(() -> client.lock("a").tryAcquire()).isInstanceOf(LockException.class);
    }

    @Test
    void aRenewalThatIsNotAnsweredIsSentAgainAfterAPause() throws Exception {
        int[] renewals = new int[1];
        TestBackend backend = new TestBackend(memory) {
            @Override
            public void renewAll(
                    java.util.Collection<? extends io.github.distlock.spi.Renewal> due, Deadline deadline) {
                renewals[0]++;
            }
        };
        LockHandle held = client(LockClient.builder(backend)).lock("a").acquire();
        store.advance(Duration.ofSeconds(15));
        assertThat(held.state()).isEqualTo(LockHandle.State.SUSPECT);
        assertThat(renewals[0]).isBetween(2, 10);
    }
}
