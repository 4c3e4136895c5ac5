package io.github.distlock.spring;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;

/**
 * Rolls a transaction back if a lock of its thread is lost. The transaction manager asks immediately before the commit,
 * after all synchronizations, and rolls back if that throws.
 */
final class CommitCheck implements TransactionExecutionListener {
    private static final Logger LOG = LoggerFactory.getLogger(DistributedLocked.class);

    private CommitCheck() {}

    /** Adds the check to the transaction managers among the beans. */
    static void addTo(ListableBeanFactory beans) {
        BeanFactoryUtils.beansOfTypeIncludingAncestors(beans, PlatformTransactionManager.class)
                .forEach(CommitCheck::addTo);
    }

    private static void addTo(String name, PlatformTransactionManager manager) {
        if (manager instanceof ConfigurableTransactionManager configurable) {
            configurable.addListener(new CommitCheck());
        } else {
            LOG.warn(
                    "The transaction manager \"{}\" is not a ConfigurableTransactionManager. So its transactions are"
                            + " not rolled back if the lock is lost: call LockHandle.ensureHeld() before they end",
                    name);
        }
    }

    @Override
    public void beforeCommit(TransactionExecution transaction) {
        ThreadHolds.all().forEach(hold -> hold.handle().ensureHeld());
    }
}
