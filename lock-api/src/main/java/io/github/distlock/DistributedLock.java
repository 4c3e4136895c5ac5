package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A named lock, exclusive among all clients of a store, or one that holders share as {@link DistributedReadWriteLock}
 * and {@link DistributedSemaphore} say. {@code acquire} waits for the lock, {@code tryAcquire} gives up. Immutable,
 * thread-safe, and cheap to make.
 *
 * <p><b>Not reentrant.</b> The holder is the code that has the {@link LockHandle}, and not a thread. If a thread holds
 * the lock and acquires it again, it waits for itself. {@link #reentrant()} is a view that does not.
 *
 * <p><b>Errors.</b> All acquires throw {@link LockException} if the store does not answer or refuses, with the lock's
 * name and the store's own words. They throw {@link IllegalStateException} if the client is closed. After an exception
 * the caller holds nothing. The client removes what the acquire may have left on the store, in the background.
 *
 * <p><b>Not promised.</b> A process that was paused may continue after its hold has ended, until it looks. If work must
 * not happen twice, check {@link LockHandle#fencingToken()} where it takes effect.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface DistributedLock {

    /**
     * Returns the lock's name.
     *
     * @return as given to {@link LockClient#lock(String)}
     */
    String name();

    /**
     * Returns the lock's options.
     *
     * @return what its acquires ask for
     */
    LockOptions options();

    /**
     * Waits until this client acquires the lock.
     *
     * @return the hold; close it
     * @throws InterruptedException if the thread is interrupted, before or while it waits. If a request is unanswered,
     *     after at most the request timeout; else at once. The flag is cleared, and the caller holds nothing
     * @throws LockException if the store has not answered at all for {@link LockClientBuilder#outageTimeout}, or
     *     refuses
     * @throws IllegalStateException if the client is closed
     */
    LockHandle acquire() throws InterruptedException;

    /**
     * Waits until this client acquires the lock, whether or not the thread is interrupted. An interrupt does not stop
     * it; the flag is kept.
     *
     * @return the hold; close it
     * @throws LockException as for {@link #acquire()}
     * @throws IllegalStateException if the client is closed
     */
    LockHandle acquireUninterruptibly();

    /**
     * Asks once. An interrupt does not stop it; the flag is kept.
     *
     * @return the hold, which the caller closes, or empty if another holder has the lock
     * @throws LockException if the store does not answer within {@link LockClientBuilder#requestTimeout}, or refuses
     * @throws IllegalStateException if the client is closed
     */
    Optional<LockHandle> tryAcquire();

    /**
     * Waits for the lock for a limited time. Returns at most 250 ms after it, whatever the store does.
     *
     * @param maxWait how long; zero or less asks once, with {@link LockClientBuilder#requestTimeout}; there is no upper
     *     bound
     * @return the hold, which the caller closes, or empty if the store's last answer was that another holder has the
     *     lock
     * @throws InterruptedException as for {@link #acquire()}
     * @throws LockException if the store has not answered at all in this time, or refuses
     * @throws IllegalStateException if the client is closed
     */
    Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException;

    /**
     * Waits until this client acquires the lock, without a thread.
     *
     * <p>If the caller completes the future, by {@code cancel}, {@code orTimeout} or otherwise, the acquire ends, and a
     * hold that arrives later is released. If the caller cancels a dependent stage, the acquire continues.
     *
     * <p>If the acquire completes the future, dependent stages run on the
     * {@linkplain LockClientBuilder#callbackExecutor callback executor}. Otherwise they run where
     * {@link CompletableFuture} runs them: on the thread that completes the future, or that adds the stage later.
     *
     * @return completed with the hold, which the caller closes, or exceptionally with what {@link #acquire()} would
     *     throw
     * @throws UnsupportedOperationException if the options have {@link LockOptions#interruptOnLoss()}
     */
    CompletableFuture<LockHandle> acquireAsync();

    /**
     * Waits for the lock for a limited time, without a thread. Otherwise like {@link #acquireAsync()}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @return completed with the hold, which the caller closes, or empty, or exceptionally with what
     *     {@link #tryAcquire(Duration)} would throw
     * @throws UnsupportedOperationException as for {@link #acquireAsync()}
     */
    CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait);

    /**
     * Returns a view of this lock that its holder may acquire again. The holder is the thread that has acquired it,
     * through this view or through {@link #asLock()} of any lock of this client with the same name. The read lock and
     * the write lock of a name are different locks. The store sees one hold. Virtual threads are threads like any
     * other.
     *
     * <p>Each acquire returns a handle of its own, with the same fencing token. The lock is released with the last of
     * them. Until then, {@link LockHandle#release()} returns {@link LockHandle.Release#RELEASED} as long as the lock is
     * held. The options of the first acquire apply. If the hold was lost, further acquires of its thread throw a
     * {@link LockLostException} until all handles are closed. If the thread has died, its hold counts as one whose
     * handles were dropped, unless another thread has one of them. A handle that the thread passes on to other work is
     * still the thread's, until it is {@linkplain LockHandle#detach() detached}.
     *
     * <p>Asynchronous acquires of the view throw {@link UnsupportedOperationException}, since no thread would be the
     * holder.
     *
     * @return the view
     * @throws UnsupportedOperationException if this is more than one permit of a semaphore
     */
    DistributedLock reentrant();

    /**
     * Returns this lock as {@code java.util.concurrent} knows it: reentrant, and owned by a thread. It shares the holds
     * of {@link #reentrant()}, and each {@code unlock} takes back one {@code lock}.
     *
     * @return the view
     * @throws UnsupportedOperationException if this is more than one permit of a semaphore
     */
    ThreadOwnedLock asLock();

    /**
     * Runs an action under the lock.
     *
     * @param action gets the hold, and must not keep it
     * @param <X> what the action throws; infer {@link RuntimeException} if it throws nothing checked
     * @throws X if the action does
     * @throws InterruptedException as for {@link #acquire()}; the action has not run
     * @throws LockLostException if the action ended after its hold was lost; suppressed if the action throws, too
     * @throws LockException as for {@link #acquire()}; the action has not run
     */
    default <X extends Exception> void runLocked(LockedAction<X> action) throws X, InterruptedException {
        requireNonNull(action, "action");
        try (LockHandle held = acquire()) {
            action.run(held);
        }
    }

    /**
     * Computes a value under the lock. Otherwise like {@link #runLocked}.
     *
     * @param action gets the hold, and must not keep it
     * @param <T> the type of the value
     * @param <X> what the action throws
     * @return the action's value
     * @throws X if the action does
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
     * Runs an action under the lock if this client acquires it in time. Otherwise like {@link #runLocked}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @param action gets the hold, and must not keep it
     * @param <X> what the action throws
     * @return whether the action has run
     * @throws X if the action does
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
     * Computes a value under the lock if this client acquires it in time. Otherwise like {@link #runLocked}.
     *
     * @param maxWait as for {@link #tryAcquire(Duration)}
     * @param action gets the hold, and must not keep it; its value must not be null
     * @param <T> the type of the value
     * @param <X> what the action throws
     * @return the action's value, or empty if it has not run
     * @throws X if the action does
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
