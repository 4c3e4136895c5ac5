package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.reactive.TransactionalOperator;
import org.springframework.transaction.support.TransactionTemplate;
import reactor.core.publisher.Mono;

/** Asynchronous and reactive methods inside of an active transaction hold their locks until it has completed. */
class AsynchronousTransactionsTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final InMemoryStore store = new InMemoryStore();
    private Application application =
            Application.over(store).start(Register.class, ReactiveRegister.class, Stock.class);
    private final List<Boolean> busy = new ArrayList<>();

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Stock {
        @DistributedLocked(key = "stock", maxWait = "1m")
        public CompletableFuture<String> later(Supplier<CompletableFuture<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "stock", maxWait = "0s")
        public Mono<String> mono(Supplier<String> work) {
            return Mono.fromSupplier(work);
        }

        @DistributedLocked(key = "stock", maxWait = "0s")
        public Mono<LockHandle> handle() {
            return ReactiveLockedMethod.currentHandle();
        }

        @DistributedLocked(key = "stock", maxWait = "0s")
        public void around(Runnable work) {
            work.run();
        }

        @DistributedLocked(key = "stock", maxWait = "0s")
        public String now() {
            return "now";
        }
    }

    private Stock stock() {
        return application.bean(Stock.class);
    }

    private boolean isBusy() {
        return application.isHeld("stock");
    }

    private void restartWith(String policy) {
        application.close();
        application = Application.over(store)
                .with("distlock.annotation.on-active-transaction", policy)
                .start(Register.class, ReactiveRegister.class, Stock.class);
    }

    private interface Work {
        void run() throws Exception;
    }

    private void inTransaction(Work work) {
        Register register = application.bean(Register.class);
        register.beforeCommit = () -> busy.add(isBusy());
        new TransactionTemplate(register).executeWithoutResult(status -> {
            try {
                work.run();
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    private <T> T inChain(Function<Stock, Mono<T>> work) {
        ReactiveRegister register = application.bean(ReactiveRegister.class);
        register.beforeCommit = () -> busy.add(isBusy());
        return TransactionalOperator.create(register)
                .transactional(work.apply(stock()))
                .block(LIMIT);
    }

    private List<String> ends() {
        return application.bean(ReactiveRegister.class).ends;
    }

    private void finish(CompletableFuture<String> running) throws Exception {
        running.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    private static CompletableFuture<String> done() {
        return CompletableFuture.completedFuture("done");
    }

    /** Loses the lock, and waits until the client has noticed it. */
    private void lose(LockHandle held) {
        CountDownLatch lost = new CountDownLatch(1);
        held.onLost(loss -> lost.countDown());
        store.lose("stock");
        Waiting.until(() -> lost.getCount() == 0);
    }

    @Test
    void aFutureHoldsTheLockUntilTheTransactionOfItsCallerHasCommitted() {
        inTransaction(() -> {
            finish(stock().later(AsynchronousTransactionsTest::done));
            busy.add(isBusy());
        });

        assertThat(busy).containsExactly(true, true);
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aFutureHoldsTheLockUntilItCompletesIfThatIsLater() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CountDownLatch started = new CountDownLatch(1);
        inTransaction(() -> {
            var unused = stock().later(() -> {
                started.countDown();
                return work;
            });
            Waiting.until(() -> started.getCount() == 0);
        });
        assertThat(isBusy()).isTrue();

        work.complete("done");

        Waiting.until(() -> !isBusy());
    }

    @Test
    void aLockThatIsAcquiredAfterTheTransactionIsHeldUntilTheFutureCompletes() throws Exception {
        List<CompletableFuture<String>> running = new ArrayList<>();
        try (LockHandle held = application.other.lock("stock").acquireUninterruptibly()) {
            inTransaction(() -> running.add(stock().later(AsynchronousTransactionsTest::done)));
        }

        finish(running.get(0));

        Waiting.until(() -> !isBusy());
    }

    @Test
    void aLaterCallOfTheSameTransactionJoins() {
        List<String> results = new ArrayList<>();
        inTransaction(() -> {
            finish(stock().later(AsynchronousTransactionsTest::done));
            results.add(stock().now());
            results.add(stock().mono(() -> "mono").block(LIMIT));
        });

        assertThat(results).containsExactly("now", "mono");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void workThatATransactionHasLeftBehindKeepsLaterCallsOfItsThreadOut() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        List<CompletableFuture<String>> left = new ArrayList<>();
        inTransaction(() -> {
            stock().around(() -> left.add(stock().later(() -> work)));
            assertThat(stock().now()).isEqualTo("now");
        });

        assertThatThrownBy(() -> stock().now()).isInstanceOf(LockBusyException.class);

        work.complete("done");
        finish(left.get(0));
        assertThat(stock().now()).isEqualTo("now");
    }

    @Test
    void aLostHoldRollsTheTransactionOfTheCallerBack() {
        assertThatThrownBy(() -> inTransaction(() -> {
                    application.bean(Register.class).write(1);
                    List<LockHandle> held = new ArrayList<>();
                    finish(stock().later(() -> {
                        held.add(LockedMethod.currentHandle());
                        return done();
                    }));
                    lose(held.get(0));
                }))
                .isInstanceOf(LockLostException.class);

        assertThat(application.bean(Register.class).committed()).isZero();
    }

    @Test
    void aPublisherHoldsTheLockUntilTheTransactionOfItsThreadHasCommitted() {
        inTransaction(() -> {
            stock().mono(() -> "mono").block(LIMIT);
            busy.add(isBusy());
        });

        assertThat(busy).containsExactly(true, true);
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aPublisherHoldsTheLockUntilTheTransactionOfItsChainHasCommitted() {
        inChain(stock -> stock.mono(() -> "mono").doOnNext(done -> busy.add(isBusy())));

        assertThat(busy).containsExactly(true, true);
        assertThat(ends()).containsExactly("commit");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aPublisherHoldsTheLockUntilTheTransactionOfItsChainHasRolledBack() {
        assertThatThrownBy(() -> inChain(stock -> stock.mono(() -> "mono").flatMap(done -> {
                    busy.add(isBusy());
                    return Mono.error(new IllegalArgumentException("sold out"));
                })))
                .hasMessage("sold out");

        assertThat(busy).containsExactly(true);
        assertThat(ends()).containsExactly("rollback");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aLaterPublisherOfTheSameChainJoins() {
        String result = inChain(stock -> stock.mono(() -> "first").then(Mono.defer(() -> stock.mono(() -> "second"))));

        assertThat(result).isEqualTo("second");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aPublisherThatJoinsTheHoldOfItsThreadHoldsTheLockUntilTheTransactionOfItsChainHasCommitted() throws Exception {
        ReactiveRegister register = application.bean(ReactiveRegister.class);
        register.beforeCommit = () -> busy.add(isBusy());
        CompletableFuture<String> later = new CompletableFuture<>();
        List<CompletableFuture<String>> running = new ArrayList<>();
        stock().around(() -> running.add(TransactionalOperator.create(register)
                .transactional(stock().mono(() -> "mono").then(Mono.fromFuture(later)))
                .toFuture()));
        busy.add(isBusy());

        later.complete("later");

        finish(running.get(0));
        assertThat(busy).containsExactly(true, true);
        assertThat(ends()).containsExactly("commit");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aLostHoldRollsTheTransactionOfTheChainBack() {
        assertThatThrownBy(() -> inChain(stock -> stock.handle().doOnNext(this::lose)))
                .isInstanceOf(LockLostException.class);

        assertThat(ends()).containsExactly("rollback");
    }

    @Test
    void anActiveTransactionFailsIfThePropertySaysSo() {
        restartWith("fail");
        Supplier<String> never = () -> {
            throw new AssertionError("ran");
        };

        inTransaction(() -> assertThatThrownBy(() -> finish(stock().later(() -> {
                    throw new AssertionError("ran");
                })))
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a transaction is active already"));
        inTransaction(() -> assertThatIllegalStateException()
                .isThrownBy(() -> stock().mono(never).block(LIMIT))
                .withMessageContaining("a transaction is active already"));
        assertThatIllegalStateException()
                .isThrownBy(() -> inChain(stock -> stock.mono(never)))
                .withMessageContaining("a transaction is active already");
        assertThat(stock().mono(() -> "without a transaction").block(LIMIT)).isEqualTo("without a transaction");
    }

    @Test
    void anActiveTransactionIsIgnoredIfThePropertySaysSo() {
        restartWith("ignore");

        inTransaction(() -> finish(stock().later(AsynchronousTransactionsTest::done)));
        inChain(stock -> stock.mono(() -> "mono"));

        assertThat(busy).containsExactly(false, false);
    }

    @Test
    void anActiveTransactionIsReportedOncePerMethod() {
        Logger log = (Logger) LoggerFactory.getLogger(DistributedLocked.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        log.setLevel(Level.WARN);
        log.addAppender(lines);
        try {
            for (int i = 0; i < 2; i++) {
                inTransaction(() -> finish(stock().later(AsynchronousTransactionsTest::done)));
                inChain(stock -> stock.mono(() -> "mono"));
                inTransaction(() -> stock().mono(() -> "mono").block(LIMIT));
            }
        } finally {
            log.detachAppender(lines);
            log.setLevel(null);
        }
        assertThat(lines.list)
                .extracting(line -> line.getFormattedMessage().split("\\(", 2)[0])
                .containsExactly(Stock.class.getName() + ".later", Stock.class.getName() + ".mono");
    }
}
