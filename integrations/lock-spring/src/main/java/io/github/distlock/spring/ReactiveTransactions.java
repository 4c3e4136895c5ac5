package io.github.distlock.spring;

import io.github.distlock.spring.ActiveTransactions.Around;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.springframework.transaction.NoTransactionException;
import org.springframework.transaction.reactive.TransactionSynchronization;
import org.springframework.transaction.reactive.TransactionSynchronizationManager;
import reactor.core.publisher.Mono;

/**
 * The transaction around a subscription: that of the thread that subscribes, or that of the reactive chain. A chain has
 * the holds that its transaction keeps among the transaction's resources. So a later publisher of the same transaction
 * joins, and does not wait for its own transaction.
 */
final class ReactiveTransactions {
    private static final Object KEY = ReactiveTransactions.class;

    private final ActiveTransactions policy;
    private final Method method;

    ReactiveTransactions(ActiveTransactions policy, Method method) {
        this.policy = policy;
        this.method = method;
    }

    /** Emits the transaction around the subscription. */
    Mono<Around> around() {
        if (policy.areIgnored()) {
            return Mono.just(Around.NONE);
        }
        return Mono.defer(() -> {
            Around ofThread = policy.ofThread(method);
            return ofThread == Around.NONE ? OfChain.find(policy, method) : Mono.just(ofThread);
        });
    }

    /**
     * Loaded only if spring-tx is present. Publishers that a chain zips or merges may get their locks at the same time,
     * and the resources of a transaction are not thread-safe.
     */
    private record OfChain(ActiveTransactions policy, Method method, TransactionSynchronizationManager transaction)
            implements Around {
        private static final ReentrantLock RESOURCES = new ReentrantLock();

        static Mono<Around> find(ActiveTransactions policy, Method method) {
            return TransactionSynchronizationManager.forCurrentTransaction()
                    .filter(TransactionSynchronizationManager::isActualTransactionActive)
                    .<Around>map(transaction -> new OfChain(policy, method, transaction))
                    .onErrorResume(NoTransactionException.class, none -> Mono.empty())
                    .defaultIfEmpty(Around.NONE);
        }

        @Override
        @SuppressWarnings("unchecked") // only this class knows the key
        public List<Hold> kept() {
            RESOURCES.lock();
            try {
                List<Hold> kept = (List<Hold>) transaction.getResource(KEY);
                return kept == null ? List.of() : kept;
            } finally {
                RESOURCES.unlock();
            }
        }

        @Override
        public void beforeAcquire() {
            policy.refuse(method);
        }

        @Override
        public void keep(Hold hold) {
            policy.warnOnce(method, hold);
            keepJoined(hold);
        }

        /**
         * Does nothing if the transaction has completed meanwhile, or keeps the hold already. A call of the thread that
         * has the hold may return before the transaction completes.
         */
        @Override
        public void keepJoined(Hold hold) {
            RESOURCES.lock();
            try {
                if (transaction.isSynchronizationActive() && !kept().contains(hold) && hold.join()) {
                    register(hold);
                }
            } finally {
                RESOURCES.unlock();
            }
        }

        /** The transaction may complete at the same time, if it is canceled. */
        private void register(Hold joined) {
            try {
                transaction.registerSynchronization(new Completion(this, joined));
            } catch (RuntimeException e) {
                joined.leave();
                throw e;
            }
            replace(kept -> Stream.concat(Stream.of(joined), kept));
        }

        private void replace(UnaryOperator<Stream<Hold>> change) {
            RESOURCES.lock();
            try {
                List<Hold> changed = change.apply(kept().stream()).toList();
                var unused = transaction.unbindResourceIfPossible(KEY);
                transaction.bindResource(KEY, changed);
            } finally {
                RESOURCES.unlock();
            }
        }

        private Mono<Void> leave(Hold left) {
            replace(kept -> kept.filter(hold -> hold != left));
            return Mono.fromFuture(left.leaveAsync());
        }
    }

    /** Rolls the transaction back if the hold is lost, and leaves the hold when the transaction has completed. */
    private record Completion(OfChain chain, Hold hold) implements TransactionSynchronization {
        @Override
        public Mono<Void> beforeCommit(boolean readOnly) {
            return Mono.fromRunnable(hold.handle()::ensureHeld);
        }

        @Override
        public Mono<Void> afterCompletion(int status) {
            return Mono.defer(() -> chain.leave(hold));
        }
    }
}
