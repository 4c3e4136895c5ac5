package io.github.distlock.spring;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** A number in a database, with transactions: what one writes, others read after its commit. */
class Register extends AbstractPlatformTransactionManager {
    private static final long serialVersionUID = 1L;

    private volatile int committed;
    transient volatile Runnable beforeCommit = () -> {};

    /** A transaction of a thread. */
    private static final class Transaction {
        private @Nullable Integer written;
    }

    int committed() {
        return committed;
    }

    int read() {
        Transaction current = current();
        return current == null || current.written == null ? committed : current.written;
    }

    void write(int value) {
        Objects.requireNonNull(current(), "no transaction").written = value;
    }

    private @Nullable Transaction current() {
        return (Transaction) TransactionSynchronizationManager.getResource(this);
    }

    @Override
    protected Object doGetTransaction() {
        Transaction current = current();
        return current == null ? new Transaction() : current;
    }

    @Override
    protected boolean isExistingTransaction(Object transaction) {
        return transaction == current();
    }

    @Override
    protected void doBegin(Object transaction, TransactionDefinition definition) {
        TransactionSynchronizationManager.bindResource(this, transaction);
    }

    @Override
    protected Object doSuspend(Object transaction) {
        return TransactionSynchronizationManager.unbindResource(this);
    }

    @Override
    protected void doResume(@Nullable Object transaction, Object suspended) {
        TransactionSynchronizationManager.bindResource(this, suspended);
    }

    @Override
    protected void doCommit(DefaultTransactionStatus status) {
        beforeCommit.run();
        Integer written = ((Transaction) status.getTransaction()).written;
        if (written != null) {
            committed = written;
        }
    }

    @Override
    protected void doRollback(DefaultTransactionStatus status) {}

    @Override
    protected void doSetRollbackOnly(DefaultTransactionStatus status) {}

    @Override
    protected void doCleanupAfterCompletion(Object transaction) {
        TransactionSynchronizationManager.unbindResource(this);
    }
}
