package io.github.distlock.spring;

import io.github.distlock.LockException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** The thread waits for the lock, and holds it until the method returns. */
final class BlockingExecution implements Execution {
    private static final Map<Class<?>, Object> EMPTY = Map.of(
            Optional.class, Optional.empty(),
            OptionalInt.class, OptionalInt.empty(),
            OptionalLong.class, OptionalLong.empty(),
            OptionalDouble.class, OptionalDouble.empty());

    private final Method method;
    private final ActiveTransactions transactions;
    private final boolean mayReturnWork;

    /**
     * Makes an execution.
     *
     * @param mayReturnWork whether the declared type does not say that the result is work which goes on
     */
    BlockingExecution(Method method, ActiveTransactions transactions, boolean mayReturnWork) {
        this.method = method;
        this.transactions = transactions;
        this.mayReturnWork = mayReturnWork;
    }

    @Override
    public @Nullable Object execute(GuardedCall call) throws Throwable {
        LockTarget target = call.target();
        Missing missing = Missing.of(ThreadHolds.all(), target);
        if (missing.isNothing()) {
            try (Hold joined = missing.joined()) {
                return finished(call.proceed(joined), joined);
            }
        }
        ActiveTransactions.Around transaction = transactions.ofThread(method);
        Hold acquired = acquire(call, missing, transaction);
        if (acquired == null) {
            return call.busy(target);
        }
        try (acquired) {
            transaction.keep(acquired);
            return finished(call.proceed(acquired), acquired);
        }
    }

    /**
     * Refuses work that a method returns as an {@code Object}. Nobody gets a publisher or a stream, so it does not run.
     * A stage is running, and keeps the lock. Another future is canceled.
     */
    private @Nullable Object finished(@Nullable Object result, Hold hold) {
        if (!mayReturnWork || result == null || !Executions.outlivesTheCall(result)) {
            return result;
        }
        if (result instanceof CompletionStage<?> stage && hold.join()) {
            var unused = stage.handle((value, error) -> hold.leaveAsync());
        } else if (result instanceof Future<?> future) {
            future.cancel(true);
        }
        throw LockAnnotations.refusal(
                method,
                "returned " + result.getClass().getSimpleName()
                        + " as an Object, and its work would go on without the lock; declare the type that it returns");
    }

    /** The view is reentrant because the application may hold the lock itself, or one of several locks. */
    private static @Nullable Hold acquire(GuardedCall call, Missing missing, ActiveTransactions.Around transaction) {
        Hold acquired = null;
        try {
            transaction.beforeAcquire();
            acquired = missing.lock()
                    .reentrant()
                    .tryAcquire(call.lock().maxWait())
                    .map(missing::hold)
                    .orElse(null);
            return acquired;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LockException(missing.target().name(), "interrupted while a call waited for it", e);
        } finally {
            if (acquired == null) {
                missing.giveUp();
            }
        }
    }

    @Override
    public @Nullable Object skipped(GuardedCall call) {
        return EMPTY.get(method.getReturnType());
    }
}
