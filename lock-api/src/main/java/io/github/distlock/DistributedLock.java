package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A named lock, exclusive over all clients of a store: a name and two verbs. {@code acquire} waits until it holds,
 * {@code tryAcquire} gives up. Immutable, thread-safe, and cheap to make.
 *
 * <p><b>Not reentrant.</b> A hold belongs to whoever has its {@link LockHandle}, not to a thread. A thread that holds
 * the lock and acquires it again waits like anybody else, in the end for itself.
 *
 * <p><b>Errors.</b> All acquires throw {@link LockException} when the store gives no answer or refuses, with the lock's
 * name and the store's own words, and {@link IllegalStateException} once the client is closed. After any exception
 * nothing is held, and what the attempt may have left on the store is cleaned up in the background, for as long as it
 * could matter.
 *
 * <p><b>What it does not promise.</b> A process that is paused may go on after its hold has ended without having
 * looked. What must not happen twice has to check {@link LockHandle#fencingToken()} where it takes effect.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface DistributedLock {

    /**
     * The name that this lock was made with.
     *
     * @return the lock's name
     */
    String name();

    /**
     * The options that this lock was made with.
     *
     * @return what its acquires ask for
     */
    LockOptions options();

    /**
     * Waits until the lock is held.
     *
     * @return the hold; close it
     * @throws InterruptedException when the thread was interrupted, before or while it waits: at once, or after at most
     *     a request's time-out while a request is unanswered. The flag is cleared, and nothing is held
     * @throws LockException when the store has not answered at all for {@link LockClientBuilder#outageTimeout}, or
     *     refuses
     * @throws IllegalStateException when the client has been closed
     */
    LockHandle acquire() throws InterruptedException;

    /**
     * Asks once. Not interruptible; an interrupt flag is kept.
     *
     * @return the hold, to be closed, or empty: the store's last answer was that somebody else has the lock
     * @throws LockException when the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws IllegalStateException when the client has been closed
     */
    Optional<LockHandle> tryAcquire();

    /**
     * Waits for the lock for a limited time. Returns by then, plus at most 250 ms, whatever the store does.
     *
     * @param maxWait how long; zero or less asks once, with {@link LockClientBuilder#requestTimeout}; any length is
     *     allowed
     * @return the hold, to be closed, or empty: the store's last answer was that somebody else has the lock
     * @throws InterruptedException as for {@link #acquire()}
     * @throws LockException when the store has not answered at all in this time, or refuses
     * @throws IllegalStateException when the client has been closed
     */
    Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException;

    /**
     * Waits until the lock is held, without a thread. Whoever completes the future, by {@code cancel},
     * {@code orTimeout} or otherwise, withdraws the acquire; a hold that the future refuses is released. Cancelling a
     * dependent stage does not withdraw. Dependent stages run on the {@linkplain LockClientBuilder#callbackExecutor
     * callback executor} when the acquire's own outcome completes the future; otherwise where {@link CompletableFuture}
     * runs them: with whoever completes it, or adds them after its completion.
     *
     * @return completed with the hold, which must be closed, or exceptionally with what {@link #acquire()} would throw
     */
    CompletableFuture<LockHandle> acquireAsync();

    /**
     * Waits for the lock for a limited time, without a thread; in all else like {@link #acquireAsync()}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @return completed with the hold, which must be closed, or empty, or exceptionally with what
     *     {@link #tryAcquire(Duration)} would throw
     */
    CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait);

    /**
     * Runs an action under the lock.
     *
     * @param action gets the hold; must not keep it
     * @param <X> what the action throws, passed through; infer {@link RuntimeException} where it throws nothing checked
     * @throws X when the action does
     * @throws InterruptedException as for {@link #acquire()}; the action has not run
     * @throws LockLostException when the action ended after its hold was lost; suppressed when the action throws, too
     * @throws LockException as for {@link #acquire()}; the action has not run
     */
    default <X extends Exception> void runLocked(LockedAction<X> action) throws X, InterruptedException {
        requireNonNull(action, "action");
        try (LockHandle held = acquire()) {
            action.run(held);
        }
    }

    /**
     * Computes a value under the lock; in all else like {@link #runLocked}.
     *
     * @param action gets the hold; must not keep it
     * @param <T> the type of the value
     * @param <X> what the action throws, passed through
     * @return the action's value
     * @throws X when the action does
     * @throws InterruptedException as for {@link #acquire()}; the action has not run
     */
    @CanIgnoreReturnValue
    default <T, X extends Exception> T callLocked(LockedCall<T, X> action) throws X, InterruptedException {
        requireNonNull(action, "action");
        try (LockHandle held = acquire()) {
            return action.call(held);
        }
    }

    /**
     * Runs an action under the lock if it is to be had in time; in all else like {@link #runLocked}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @param action gets the hold; must not keep it
     * @param <X> what the action throws, passed through
     * @return whether the action has run
     * @throws X when the action does
     * @throws InterruptedException as for {@link #acquire()}; the action has not run
     */
    default <X extends Exception> boolean tryRunLocked(Duration maxWait, LockedAction<X> action)
            throws X, InterruptedException {
        requireNonNull(action, "action");
        Optional<LockHandle> granted = tryAcquire(maxWait);
        if (granted.isEmpty()) {
            return false;
        }
        try (LockHandle held = granted.get()) {
            action.run(held);
        }
        return true;
    }

    /**
     * Computes a value under the lock if it is to be had in time; in all else like {@link #runLocked}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @param action gets the hold; must not keep it; its value must not be null
     * @param <T> the type of the value
     * @param <X> what the action throws, passed through
     * @return the action's value, or empty when it has not run
     * @throws X when the action does
     * @throws InterruptedException as for {@link #acquire()}; the action has not run
     */
    default <T, X extends Exception> Optional<T> tryCallLocked(Duration maxWait, LockedCall<T, X> action)
            throws X, InterruptedException {
        requireNonNull(action, "action");
        Optional<LockHandle> granted = tryAcquire(maxWait);
        if (granted.isEmpty()) {
            return Optional.empty();
        }
        try (LockHandle held = granted.get()) {
            return Optional.of(action.call(held));
        }
    }
}
