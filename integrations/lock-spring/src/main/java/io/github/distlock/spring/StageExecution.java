package io.github.distlock.spring;

import io.github.distlock.LockHandle;
import java.lang.reflect.Method;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The call returns a future, and the method runs when the lock is acquired. The hold ends when the stage that the
 * method returns completes. The caller's future completes after that. A transaction that is active on the caller's
 * thread keeps the hold, too.
 *
 * <p>If the caller cancels its future or completes it otherwise, the acquire ends, or the method's stage is canceled if
 * it is a future. The hold still ends only with that stage, because the work may go on until then. The method's stage
 * is set and then the caller's future is read; the caller completes its future and then reads the stage. So one of the
 * two cancels the stage.
 */
final class StageExecution implements Execution {
    private final Method method;
    private final ActiveTransactions transactions;

    StageExecution(Method method, ActiveTransactions transactions) {
        this.method = method;
        this.transactions = transactions;
    }

    @Override
    public CompletableFuture<@Nullable Object> execute(GuardedCall call) {
        try {
            return new Run(call, PendingHold.ask(call, ThreadHolds.all(), transactions.ofThread(method))).start();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletableFuture<@Nullable Object> skipped(GuardedCall call) {
        return CompletableFuture.completedFuture(null);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // each step reports to the caller's future
    private static final class Run {
        private final GuardedCall call;
        private final PendingHold pending;
        private final CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
        private volatile @Nullable CompletionStage<?> work;

        Run(GuardedCall call, PendingHold pending) {
            this.call = call;
            this.pending = pending;
        }

        CompletableFuture<@Nullable Object> start() {
            result.whenComplete((value, error) -> cancel());
            pending.acquired().thenCompose(this::work).whenComplete(this::leave);
            return result;
        }

        private CompletionStage<@Nullable Object> work(Optional<LockHandle> granted) {
            try {
                @SuppressWarnings("unchecked") // the return type of the method was checked
                CompletionStage<@Nullable Object> stage = (CompletionStage<@Nullable Object>)
                        (granted.isPresent()
                                ? call.proceed(pending.begin(granted.get()))
                                : call.busy(pending.target()));
                work = stage;
                if (result.isDone()) {
                    cancel();
                }
                return stage == null ? CompletableFuture.completedFuture(null) : ended(stage);
            } catch (Throwable e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        /** Not every stage has a future, and without it, the work would go on after the release. */
        private static CompletionStage<@Nullable Object> ended(CompletionStage<@Nullable Object> stage) {
            CompletableFuture<@Nullable Object> ended = new CompletableFuture<>();
            stage.whenComplete((value, error) -> {
                if (error == null) {
                    ended.complete(value);
                } else {
                    ended.completeExceptionally(error);
                }
            });
            return ended;
        }

        private void cancel() {
            pending.cancel();
            if (work instanceof Future<?> future) {
                future.cancel(false);
            }
        }

        private void leave(@Nullable Object value, @Nullable Throwable error) {
            pending.leave().whenComplete((left, loss) -> end(value, error, loss));
        }

        private void end(@Nullable Object value, @Nullable Throwable error, @Nullable Throwable loss) {
            Throwable thrown = unwrapped(error == null ? loss : error);
            if (thrown == null) {
                result.complete(value);
            } else {
                if (error != null && loss != null) {
                    thrown.addSuppressed(unwrapped(loss));
                }
                result.completeExceptionally(thrown);
            }
        }

        private static @Nullable Throwable unwrapped(@Nullable Throwable error) {
            return error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        }
    }
}
