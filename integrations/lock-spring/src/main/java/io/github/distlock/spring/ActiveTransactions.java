package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/**
 * What happens if a transaction is active before a call acquires its lock. The transaction would commit after the
 * release, so the next holder would not see its changes. Needs spring-tx, and does nothing without it.
 */
final class ActiveTransactions {
    /** Whether spring-tx is on the class path. */
    static final boolean ARE_POSSIBLE = ClassUtils.isPresent(
            "org.springframework.transaction.support.TransactionSynchronizationManager",
            ActiveTransactions.class.getClassLoader());

    private static final String PROPERTY = "distlock.annotation.on-active-transaction";
    private static final Logger LOG = LoggerFactory.getLogger(DistributedLocked.class);

    private final Policy policy;
    private final Set<Method> warned = ConcurrentHashMap.newKeySet();

    private enum Policy {
        HOLD_UNTIL_COMPLETION,
        FAIL,
        IGNORE;

        private String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * Reads the property's value.
     *
     * @throws IllegalStateException if it is not one of the policies
     */
    ActiveTransactions(String value) {
        policy = Arrays.stream(Policy.values())
                .filter(each -> each.text().equals(value) || value.isEmpty())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(PROPERTY + " = \"" + value + "\" must be one of "
                        + Arrays.stream(Policy.values()).map(Policy::text).collect(Collectors.joining(", "))));
    }

    /** The placeholder of the property. */
    static String placeholder() {
        return "${" + PROPERTY + ":}";
    }

    boolean areIgnored() {
        return !ARE_POSSIBLE || policy == Policy.IGNORE;
    }

    /** Returns the transaction of this thread. */
    Around ofThread(Method method) {
        return areIgnored() || !isOpen()
                ? Around.NONE
                : new Completion(this, method, Thread.currentThread(), new CompletableFuture<>());
    }

    /** After its completion, a transaction still counts as active while Spring calls its synchronizations. */
    private static boolean isOpen() {
        return TransactionSynchronizationManager.isActualTransactionActive()
                && TransactionSynchronizationManager.isSynchronizationActive();
    }

    /** Refuses a call in an active transaction if the application wants that. */
    void refuse(Method method) {
        if (policy == Policy.FAIL) {
            throw LockAnnotations.refusal(
                    method,
                    "a transaction is active already, which would commit after the release; begin it inside of the"
                            + " method, or change " + PROPERTY);
        }
    }

    void warnOnce(Method method, Hold hold) {
        if (warned.add(method)) {
            LOG.warn(
                    "{} is called in a transaction that is active already. It holds lock \"{}\" until the transaction"
                            + " completes, because the commit comes after its return. Begin the transaction inside of"
                            + " the method, or set {}",
                    LockAnnotations.signature(method),
                    hold.handle().lockName(),
                    PROPERTY);
        }
    }

    /** The transaction around a call. */
    interface Around {
        /** There is none, or it does not matter. */
        Around NONE = new Around() {};

        /** Returns the holds that the transaction keeps and that the thread does not have. */
        default List<Hold> kept() {
            return List.of();
        }

        /**
         * Prepares for a new hold.
         *
         * @throws IllegalStateException if the application does not want the transaction here
         */
        default void beforeAcquire() {}

        /** Keeps a new hold until the transaction has completed. The call has not left the hold yet. */
        default void keep(Hold hold) {}

        /**
         * Keeps a hold that the call has joined. A transaction of a thread does nothing: it keeps the hold already, or
         * completes within the call that has the hold.
         */
        default void keepJoined(Hold hold) {}
    }

    /**
     * The transaction of a thread. Another thread may acquire the lock for the call, even after the transaction has
     * completed. The future runs what it is given exactly once, before or after its completion. So each hold that is
     * kept is left.
     */
    private record Completion(
            ActiveTransactions transactions, Method method, Thread thread, CompletableFuture<Void> completed)
            implements Around, TransactionSynchronization {

        @Override
        public void beforeAcquire() {
            transactions.refuse(method);
            TransactionSynchronizationManager.registerSynchronization(this);
        }

        @Override
        public void keep(Hold hold) {
            transactions.warnOnce(method, hold);
            if (hold.join()) {
                ThreadHolds.Use kept = ThreadHolds.keep(hold, thread);
                var unused = completed.thenRun(() -> {
                    kept.close();
                    hold.close();
                });
            }
        }

        @Override
        public void afterCompletion(int status) {
            completed.complete(null);
        }
    }
}
