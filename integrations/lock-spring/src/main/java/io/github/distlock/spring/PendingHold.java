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
    private final Missing missing;
    private final ActiveTransactions.Around transaction;
    private final CompletableFuture<Optional<LockHandle>> acquired;
    private final AtomicReference<@Nullable Hold> hold = new AtomicReference<>();

    private PendingHold(
            Missing missing, ActiveTransactions.Around transaction, CompletableFuture<Optional<LockHandle>> acquired) {
        this.missing = missing;
        this.transaction = transaction;
        this.acquired = acquired;
    }

    /** Joins holds around the call, and asks for what they do not have. The transaction keeps the hold. */
    static PendingHold ask(GuardedCall call, List<Hold> innermostFirst, ActiveTransactions.Around transaction) {
        Missing missing = Missing.of(innermostFirst, call.target());
        try {
            if (missing.isNothing()) {
                Hold joined = missing.joined();
                transaction.keepJoined(joined);
                return begun(missing, joined);
            }
            transaction.beforeAcquire();
            return new PendingHold(
                    missing,
                    transaction,
                    missing.lock().tryAcquireAsync(call.lock().maxWait()));
        } catch (RuntimeException e) {
            missing.giveUp();
            throw e;
        }
    }

    private static PendingHold begun(Missing nothing, Hold hold) {
        PendingHold pending = new PendingHold(
                nothing, ActiveTransactions.Around.NONE, CompletableFuture.completedFuture(Optional.of(hold.handle())));
        pending.hold.set(hold);
        return pending;
    }

    LockTarget target() {
        return missing.target();
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
        hold.compareAndSet(null, missing.hold(handle));
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
        if (isGranted) {
            return hold(acquired.getNow(Optional.empty()).orElseThrow()).leaveAsync();
        }
        missing.giveUp();
        return CompletableFuture.completedFuture(null);
    }
}
