package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** A lock is held until the changes that it protects are committed, or they are rolled back. */
class TransactionsTest {
    private final InMemoryStore store = new InMemoryStore();
    private Application application = Application.over(store).start(Transactions.class, Register.class, Orders.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement
    static class Transactions {}

    static class Orders {
        private final Register register;

        Orders(Register register) {
            this.register = register;
        }

        @Transactional
        @DistributedLocked(key = "orders")
        public void ship(Runnable work) {
            register.write(register.read() + 1);
            work.run();
        }

        @DistributedLocked(key = "orders", maxWait = "0s")
        public void inside(Runnable work) {
            work.run();
        }
    }

    private Orders orders() {
        return application.bean(Orders.class);
    }

    private Register register() {
        return application.bean(Register.class);
    }

    private void inTransaction(Runnable work) {
        new TransactionTemplate(register()).executeWithoutResult(status -> work.run());
    }

    private void inNewTransaction(Runnable work) {
        TransactionTemplate template = new TransactionTemplate(register());
        template.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        template.executeWithoutResult(status -> work.run());
    }

    private boolean isBusy() {
        return application.isHeld("orders");
    }

    /** Loses the lock of the call that runs, and waits until the client has noticed it. */
    private void lose() {
        CountDownLatch lost = new CountDownLatch(1);
        LockedMethod.currentHandle().onLost(loss -> lost.countDown());
        store.lose("orders");
        try {
            lost.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void restartWith(String policy) {
        application.close();
        application = Application.over(store)
                .with("distlock.annotation.on-active-transaction", policy)
                .start(Transactions.class, Register.class, Orders.class);
    }

    @Test
    void theLockIsHeldUntilTheTransactionOfTheMethodHasCommitted() {
        List<Boolean> busy = new ArrayList<>();
        register().beforeCommit = () -> busy.add(isBusy());

        orders().ship(() -> {});

        assertThat(busy).containsExactly(true);
        assertThat(isBusy()).isFalse();
        assertThat(register().committed()).isEqualTo(1);
    }

    @Test
    void theLockIsHeldUntilATransactionThatWasActiveBeforeHasCommitted() {
        List<Boolean> busy = new ArrayList<>();
        register().beforeCommit = () -> busy.add(isBusy());

        inTransaction(() -> {
            orders().ship(() -> {});
            busy.add(isBusy());
        });

        assertThat(busy).containsExactly(true, true);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aCallAfterTheCompletionOfATransactionHasItsLock() {
        List<Boolean> busy = new ArrayList<>();

        inTransaction(() -> TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
            @Override
            public void afterCompletion(int status) {
                orders().inside(() -> busy.add(isBusy()));
            }
        }));

        assertThat(busy).containsExactly(true);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void theLockIsHeldUntilATransactionThatWasActiveBeforeHasRolledBack() {
        assertThatThrownBy(() -> inTransaction(() -> {
                    orders().ship(() -> {});
                    throw new IllegalArgumentException("rolls back");
                }))
                .hasMessage("rolls back");

        assertThat(isBusy()).isFalse();
        assertThat(register().committed()).isZero();
    }

    @Test
    void callsInTheSameTransactionJoinTheHoldThatIsKept() {
        List<Long> tokens = new ArrayList<>();
        Runnable record = () -> tokens.add(LockedMethod.currentHandle().fencingToken());

        inTransaction(() -> {
            orders().ship(record);
            assertThatIllegalStateException().isThrownBy(LockedMethod::currentHandle);
            orders().inside(record);
            inNewTransaction(() -> orders().inside(record));
        });

        assertThat(tokens).hasSize(3).containsOnly(tokens.get(0));
        assertThat(isBusy()).isFalse();
    }

    @Test
    void theApplicationJoinsTheHoldThatATransactionKeeps() {
        DistributedLock lock = application.bean(LockClient.class).lock("orders").reentrant();

        inTransaction(() -> {
            orders().ship(() -> {});
            lock.tryAcquire().orElseThrow().close();
        });

        assertThat(isBusy()).isFalse();
    }

    @Test
    void aTransactionThatBeginsInsideDoesNotKeepTheLock() {
        orders().inside(() -> inTransaction(() -> orders().inside(() -> {})));

        assertThat(isBusy()).isFalse();
    }

    @Test
    void aLostHoldRollsBackTheTransactionOfTheMethod() {
        assertThatThrownBy(() -> orders().ship(this::lose)).isInstanceOf(LockLostException.class);

        assertThat(register().committed()).isZero();
    }

    @Test
    void aLostHoldRollsBackATransactionInsideOfTheMethod() {
        assertThatThrownBy(() -> orders().inside(() -> inTransaction(() -> {
                    register().write(1);
                    lose();
                })))
                .isInstanceOf(LockLostException.class);

        assertThat(register().committed()).isZero();
    }

    @Test
    void aLostHoldRollsBackATransactionThatWasActiveBefore() {
        assertThatThrownBy(() -> inTransaction(() -> {
                    register().write(1);
                    List<LockHandle> held = new ArrayList<>();
                    orders().inside(() -> held.add(LockedMethod.currentHandle()));
                    CountDownLatch lost = new CountDownLatch(1);
                    held.get(0).onLost(loss -> lost.countDown());
                    store.lose("orders");
                    try {
                        lost.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }))
                .isInstanceOf(LockLostException.class);

        assertThat(register().committed()).isZero();
    }

    @Test
    void anActiveTransactionIsReportedOncePerMethod() {
        Logger log = (Logger) LoggerFactory.getLogger(DistributedLocked.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        log.setLevel(Level.WARN);
        log.addAppender(lines);
        try {
            inTransaction(() -> orders().ship(() -> {}));
            inTransaction(() -> orders().ship(() -> {}));
        } finally {
            log.detachAppender(lines);
            log.setLevel(null);
        }
        assertThat(lines.list).hasSize(1);
        assertThat(lines.list.get(0).getFormattedMessage())
                .isEqualTo(Orders.class.getName() + ".ship(Runnable) is called in a transaction that is active already."
                        + " It holds lock \"orders\" until the transaction completes, because the commit comes after"
                        + " its return. Begin the transaction inside of the method, or set"
                        + " distlock.annotation.on-active-transaction");
    }

    @Test
    void anActiveTransactionFailsIfThePropertySaysSo() {
        restartWith("fail");

        assertThatIllegalStateException()
                .isThrownBy(() -> inTransaction(() -> orders().ship(() -> {
                    throw new AssertionError("ran");
                })))
                .withMessageEndingWith(
                        "Orders.ship(Runnable): a transaction is active already, which would commit after"
                                + " the release; begin it inside of the method, or change"
                                + " distlock.annotation.on-active-transaction");
        orders().ship(() -> {});
    }

    @Test
    void anActiveTransactionIsIgnoredIfThePropertySaysSo() {
        restartWith("ignore");

        inTransaction(() -> {
            orders().ship(() -> {});
            assertThat(isBusy()).isFalse();
        });
    }

    @Test
    void anUnknownPolicyFailsAtStartUp() {
        Throwable thrown = catchThrowable(() -> restartWith("wait"));

        assertThat(NestedExceptionUtils.getMostSpecificCause(thrown))
                .hasMessage("distlock.annotation.on-active-transaction = \"wait\" must be one of"
                        + " hold-until-completion, fail, ignore");
    }
}
