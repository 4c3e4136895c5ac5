package io.github.distlock.spring;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.AbstractReactiveTransactionManager;
import org.springframework.transaction.reactive.GenericReactiveTransaction;
import org.springframework.transaction.reactive.TransactionSynchronizationManager;
import reactor.core.publisher.Mono;

/** Transactions of reactive chains, which only remember how they end. */
class ReactiveRegister extends AbstractReactiveTransactionManager {
    private static final long serialVersionUID = 1L;

    final transient List<String> ends = new CopyOnWriteArrayList<>();
    transient volatile Runnable beforeCommit = () -> {};

    private static final class Transaction {
        private boolean hasBegun;
    }

    @Override
    protected Object doGetTransaction(TransactionSynchronizationManager current) {
        Object bound = current.getResource(this);
        return bound == null ? new Transaction() : bound;
    }

    @Override
    protected boolean isExistingTransaction(Object transaction) {
        return ((Transaction) transaction).hasBegun;
    }

    @Override
    protected Mono<Void> doBegin(
            TransactionSynchronizationManager current, Object transaction, TransactionDefinition definition) {
        return Mono.fromRunnable(() -> {
            current.bindResource(this, transaction);
            ((Transaction) transaction).hasBegun = true;
        });
    }

    @Override
    protected Mono<Void> doCommit(TransactionSynchronizationManager current, GenericReactiveTransaction status) {
        return Mono.fromRunnable(() -> {
            beforeCommit.run();
            ends.add("commit");
        });
    }

    @Override
    protected Mono<Void> doRollback(TransactionSynchronizationManager current, GenericReactiveTransaction status) {
        return Mono.fromRunnable(() -> ends.add("rollback"));
    }

    @Override
    protected Mono<Void> doCleanupAfterCompletion(TransactionSynchronizationManager current, Object transaction) {
        return Mono.fromRunnable(() -> current.unbindResource(this));
    }
}
