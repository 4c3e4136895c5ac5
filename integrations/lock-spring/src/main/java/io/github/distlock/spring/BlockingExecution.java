package io.github.distlock.spring;

import io.github.distlock.LockException;
import java.lang.reflect.Method;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The thread waits for the lock, and holds it until the method returns. */
final class BlockingExecution implements Execution {
    private final Method method;
    private final ActiveTransactions transactions;

    BlockingExecution(Method method, ActiveTransactions transactions) {
        this.method = method;
        this.transactions = transactions;
    }

    @Override
    public @Nullable Object execute(GuardedCall call) throws Throwable {
        LockTarget target = call.target();
        Hold joined = Hold.join(ThreadHolds.all(), target);
        if (joined != null) {
            try (joined) {
                return call.proceed(joined);
            }
        }
        ActiveTransactions.Around transaction = transactions.ofThread(method);
        transaction.beforeAcquire();
        Hold acquired = acquire(call, target);
        if (acquired == null) {
            return call.busy(target);
        }
        try (acquired) {
            transaction.keep(acquired);
            return call.proceed(acquired);
        }
    }

    /** The view is reentrant because the application may hold the lock itself, or one of several locks. */
    private static @Nullable Hold acquire(GuardedCall call, LockTarget target) {
        try {
            return target.lock()
                    .reentrant()
                    .tryAcquire(call.lock().maxWait())
                    .map(handle -> new Hold(target, handle))
                    .orElse(null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LockException(target.name(), "interrupted while a call waited for it", e);
        }
    }

    @Override
    public @Nullable Object skipped(GuardedCall call) {
        return method.getReturnType() == Optional.class ? Optional.empty() : null;
    }
}
