package io.github.distlock.spring;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A hold that a call without a thread has asked for, or has joined.
 *
 * <p>The future of the acquire decides who ends the hold, because it completes once. If {@link #leave} cancels it, the
 * client gives back what may still arrive. Otherwise it contains the hold, and {@code leave} leaves it. So a
 * cancellation at any time leaves nothing behind.
 */
final class PendingHold {
    private final LockTarget target;
    private final ActiveTransactions.Around transaction;
    private final CompletableFuture<Optional<LockHandle>> acquired;
    private final AtomicReference<@Nullable Hold> hold = new AtomicReference<>();

    private PendingHold(
            LockTarget target,
            ActiveTransactions.Around transaction,
            CompletableFuture<Optional<LockHandle>> acquired) {
        this.target = target;
        this.transaction = transaction;
        this.acquired = acquired;
    }

    /** Joins one of the holds around the call, or asks for a new one, which the transaction around it keeps. */
    static PendingHold ask(GuardedCall call, List<Hold> innermostFirst, ActiveTransactions.Around transaction) {
        LockTarget target = call.target();
        Hold joined = Hold.join(innermostFirst, target);
        if (joined == null) {
            transaction.beforeAcquire();
            return new PendingHold(
                    target, transaction, target.lock().tryAcquireAsync(call.lock().maxWait()));
        }
        PendingHold pending = new PendingHold(
                target,
                ActiveTransactions.Around.NONE,
                CompletableFuture.completedFuture(Optional.of(joined.handle())));
        pending.hold.set(joined);
        return pending;
    }

    LockTarget target() {
        return target;
    }

    /** Completed with the handle, or empty if the lock stayed busy. */
    CompletableFuture<Optional<LockHandle>> acquired() {
        return acquired;
    }

    /** Returns the hold of the handle that {@link #acquired} contains, before the method runs under it. */
    Hold begin(LockHandle handle) {
        Hold begun = hold(handle);
        transaction.keep(begun);
        return begun;
    }

    private Hold hold(LockHandle handle) {
        hold.compareAndSet(null, new Hold(target, handle));
        return requireNonNull(hold.get());
    }

    /** Ends the acquire if it is under way. Else does nothing. */
    void cancel() {
        acquired.cancel(false);
    }

    /** Ends the acquire, or leaves the hold. The future fails if the lock was lost. */
    CompletableFuture<Void> leave() {
        cancel();
        boolean isGranted = !acquired.isCompletedExceptionally()
                && acquired.getNow(Optional.empty()).isPresent();
        return isGranted
                ? hold(acquired.getNow(Optional.empty()).orElseThrow()).leaveAsync()
                : CompletableFuture.completedFuture(null);
    }
}
