package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** A publisher acquires the lock at each subscription, and holds it until it completes, fails or is canceled. */
class ReactiveTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Application application =
            Application.over(new InMemoryStore()).start(Stock.class);
    private final Stock stock = application.bean(Stock.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Stock {
        private final AtomicInteger runs = new AtomicInteger();

        AtomicInteger runs() {
            return runs;
        }

        @DistributedLocked(key = "stock/#{#id}", maxWait = "1m")
        public Mono<String> one(String id, Supplier<Mono<String>> work) {
            runs.incrementAndGet();
            return work.get();
        }

        @DistributedLocked(key = "stock/#{#id}", maxWait = "1m")
        public Flux<String> many(String id, Supplier<Flux<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "stock/1", maxWait = "1m")
        public Mono<Long> waiting(@Nullable LockHandle held) {
            return Mono.just(held.fencingToken());
        }

        @DistributedLocked(key = "stock/1", maxWait = "0s")
        public Mono<Long> token() {
            return ReactiveLockedMethod.currentHandle().map(LockHandle::fencingToken);
        }

        @DistributedLocked(
                key = {"stock/2", "stock/1"},
                maxWait = "0s")
        public Mono<String> both(Function<LockHandle, String> work) {
            return ReactiveLockedMethod.currentHandle().map(work);
        }

        @DistributedLocked(key = "stock/1", onBusy = OnBusy.SKIP)
        public Mono<String> skipped() {
            return Mono.just("ran");
        }

        @DistributedLocked(key = "stock/1", maxWait = "0s", onBusy = OnBusy.FALLBACK, fallback = "instead")
        public Flux<String> falling(String text) {
            return Flux.just("ran");
        }

        Flux<String> instead(String text) {
            return Flux.just("instead", "of", text);
        }

        @DistributedLocked(key = "rw", mode = DistributedLocked.Mode.READ)
        public Mono<String> reading(Supplier<Mono<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "rw", mode = DistributedLocked.Mode.WRITE)
        public Mono<String> writing(Supplier<Mono<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "stock/1", maxWait = "0s")
        public String blocking(Supplier<String> work) {
            return work.get();
        }
    }

    private boolean isBusy() {
        return application.isHeld("stock/1");
    }

    @Test
    void eachSubscriptionAcquiresTheLock() {
        Mono<String> one = stock.one("1", () -> Mono.fromSupplier(() -> "busy: " + isBusy()));
        assertThat(stock.runs()).hasValue(0);
        assertThat(isBusy()).isFalse();

        assertThat(one.block(LIMIT)).isEqualTo("busy: true");
        assertThat(one.block(LIMIT)).isEqualTo("busy: true");

        assertThat(stock.runs()).hasValue(2);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aFluxHoldsTheLockUntilItCompletes() {
        Sinks.Many<String> sink = Sinks.many().unicast().onBackpressureBuffer();
        AtomicInteger received = new AtomicInteger();
        Disposable running = stock.many("1", sink::asFlux).subscribe(item -> received.incrementAndGet());
        sink.tryEmitNext("item");
        Waiting.until(() -> received.get() == 1);
        assertThat(isBusy()).isTrue();

        sink.tryEmitComplete();

        Waiting.until(running::isDisposed);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void anErrorReleasesTheLock() {
        assertThatThrownBy(() -> stock.one("1", () -> Mono.error(new IllegalArgumentException("sold out")))
                        .block(LIMIT))
                .hasMessage("sold out");
        assertThatThrownBy(() -> stock.one("1", () -> {
                            throw new IllegalArgumentException("sold out");
                        })
                        .block(LIMIT))
                .hasMessage("sold out");

        assertThat(isBusy()).isFalse();
    }

    @Test
    void aMonoThatHasItsValueIsNotCanceled() {
        AtomicInteger canceled = new AtomicInteger();

        assertThat(stock.one("1", () -> Mono.just("sold").doOnCancel(canceled::incrementAndGet))
                        .block(LIMIT))
                .isEqualTo("sold");

        assertThat(canceled).hasValue(0);
    }

    @Test
    void aCancellationReleasesTheLock() {
        Disposable running = stock.one("1", Mono::never).subscribe();
        Waiting.until(this::isBusy);

        running.dispose();

        Waiting.until(() -> !isBusy());
    }

    @Test
    void aCancellationEndsTheWait() {
        try (LockHandle held = application.other.lock("stock/1").acquireUninterruptibly()) {
            Disposable waiting = stock.waiting(null).subscribe();
            Waiting.until(() -> application.isAwaited("stock/1"));

            waiting.dispose();

            Waiting.until(() -> !application.isAwaited("stock/1"));
        }
        assertThat(isBusy()).isFalse();
    }

    @Test
    void theHoldIsAParameterAndInTheContext() {
        assertThat(stock.waiting(null).block(LIMIT)).isPositive();
        assertThat(stock.token().block(LIMIT)).isPositive();
        assertThatThrownBy(() -> ReactiveLockedMethod.currentHandle().block(LIMIT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no @DistributedLocked method is in this reactive chain");
    }

    @Test
    void aPublisherInsideJoins() {
        assertThat(stock.one("1", () -> stock.token().zipWith(stock.token(), (a, b) -> a.equals(b) ? "same" : "other"))
                        .block(LIMIT))
                .isEqualTo("same");
        assertThat(isBusy()).isFalse();
    }

    @Test
    void severalKeysInsideJoinTheHoldsThatHaveSomeOfThem() {
        String one = stock.one("1", () -> stock.both(ReactiveTest::description)).block(LIMIT);
        String each = stock.one("1", () -> stock.one("2", () -> stock.both(ReactiveTest::description)))
                .block(LIMIT);

        assertThat(one).isEqualTo("[stock/1, stock/2] held");
        assertThat(each).isEqualTo("[stock/1, stock/2] held");
        assertThat(isBusy()).isFalse();
        assertThat(application.isHeld("stock/2")).isFalse();
    }

    private static String description(LockHandle held) {
        assertThat(held.fencingToken("stock/1")).isPositive();
        assertThat(held.fencingToken("stock/2")).isPositive();
        assertThat(held.state()).isEqualTo(LockHandle.State.HELD);
        return held.lockNames() + (held.isHeld() ? " held" : " lost");
    }

    @Test
    void severalKeysInsideOfWhichOneIsBusyLeaveTheHoldAround() {
        try (LockHandle held = application.other.lock("stock/2").acquireUninterruptibly()) {
            String after = stock.one(
                            "1",
                            () -> stock.both(both -> "acquired")
                                    .onErrorResume(
                                            LockBusyException.class,
                                            busy -> Mono.fromSupplier(() -> "held: " + isBusy())))
                    .block(LIMIT);

            assertThat(after).isEqualTo("held: true");
        }
        assertThat(isBusy()).isFalse();
    }

    @Test
    void severalKeysInsideFailIfTheHoldAroundIsLost() {
        assertThatThrownBy(() -> stock.one(
                                "1",
                                () -> stock.both(both -> {
                                    application.store.lose("stock/1");
                                    return "lost";
                                }))
                        .block(LIMIT))
                .isInstanceOf(LockLostException.class);

        Waiting.until(() -> !application.isHeld("stock/2"));
    }

    @Test
    void aPublisherInsideACallJoins() {
        assertThat(stock.blocking(() -> String.valueOf(stock.token().block(LIMIT))))
                .isNotBlank();
    }

    @Test
    void aReaderInsideAWriterJoinsAndAWriterInsideAReaderFails() {
        assertThat(stock.writing(() -> stock.reading(() -> Mono.just("read"))).block(LIMIT))
                .isEqualTo("read");
        assertThatThrownBy(() -> stock.reading(() -> stock.writing(Mono::empty)).block(LIMIT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("use WRITE for the outer call");
    }

    @Test
    void aBusyLockFailsSkipsOrFallsBack() {
        try (LockHandle held = application.other.lock("stock/1").acquireUninterruptibly()) {
            assertThatThrownBy(() -> stock.token().block(LIMIT)).isInstanceOf(LockBusyException.class);
            assertThat(stock.skipped().blockOptional(LIMIT)).isEmpty();
            assertThat(stock.falling("this").collectList().block(LIMIT)).isEqualTo(List.of("instead", "of", "this"));
        }
        assertThat(stock.skipped().block(LIMIT)).isEqualTo("ran");
    }

    @Test
    void aSilentStoreFails() {
        application.connection.pause();

        assertThatThrownBy(() -> stock.skipped().block(LIMIT)).isInstanceOf(LockException.class);

        application.connection.resume();
    }

    @Test
    void aLostHoldFailsAfterTheWork() {
        assertThatThrownBy(() -> stock.one(
                                "1", () -> Mono.fromSupplier(() -> "lost: " + application.store.lose("stock/1")))
                        .block(LIMIT))
                .isInstanceOf(LockLostException.class);
    }
}
