package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/**
 * What happens if a transaction of the thread is active before a call acquires its lock. The transaction would commit
 * after the release, so the next holder would not see its changes. Needs spring-tx, and does nothing without it.
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

    /** Refuses a call in an active transaction if the application wants that. */
    void beforeAcquire(Method method) {
        if (policy == Policy.FAIL && isActive()) {
            throw LockAnnotations.refusal(
                    method,
                    "a transaction is active already, which would commit after the release; begin it inside of the"
                            + " method, or change " + PROPERTY);
        }
    }

    /** Keeps a new hold until an active transaction has completed. */
    void acquired(Hold hold, Method method) {
        if (policy != Policy.HOLD_UNTIL_COMPLETION || !isActive()) {
            return;
        }
        if (warned.add(method)) {
            LOG.warn(
                    "{} is called in a transaction that is active already. It holds lock \"{}\" until the transaction"
                            + " completes, because the commit comes after its return. Begin the transaction inside of"
                            + " the method, or set {}",
                    LockAnnotations.signature(method),
                    hold.handle().lockName(),
                    PROPERTY);
        }
        if (hold.join()) {
            Completion.await(hold);
        }
    }

    private static boolean isActive() {
        return ARE_POSSIBLE && TransactionSynchronizationManager.isActualTransactionActive();
    }

    /** Leaves a hold when the transaction has committed or rolled back. */
    private record Completion(Hold hold, ThreadHolds.Use kept) implements TransactionSynchronization {

        static void await(Hold hold) {
            Completion completion = new Completion(hold, ThreadHolds.keep(hold));
            try {
                TransactionSynchronizationManager.registerSynchronization(completion);
            } catch (RuntimeException e) {
                completion.afterCompletion(STATUS_UNKNOWN);
                throw e;
            }
        }

        @Override
        public void afterCompletion(int status) {
            kept.close();
            hold.close();
        }
    }
}
