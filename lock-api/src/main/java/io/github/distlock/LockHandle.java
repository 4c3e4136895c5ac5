package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * One hold of a lock. The code that has this object is the holder; it may pass the handle to another thread and close
 * it there. Thread-safe. Close each handle. If one is dropped, the client releases the hold after the garbage collector
 * has found it, and logs an error.
 *
 * <p><b>States.</b> A hold is {@link State#HELD}, at times {@link State#SUSPECT} and back, and at last
 * {@link State#RELEASED} or {@link State#LOST}, which does not change.
 *
 * <p><b>Loss.</b> A hold is lost when its time ends without a confirmed renewal, or when the store answers that it no
 * longer has the hold. The client counts time on this machine's clocks, from before the last confirmed request was
 * sent. So {@link #isHeld()} returns false no later than another client can acquire the lock, while the store keeps its
 * data and its clock. Methods that ask are exact at the moment of the call. Listeners run when the process does: after
 * a pause of the whole process they may run after the first statement of a resumed thread.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface LockHandle extends AutoCloseable {

    /** The state of a hold. */
    enum State {
        /** Held, as far as this client's clocks and the store's last answer tell. */
        HELD,
        /** Still held, but the last renewal failed or the connection is in doubt. */
        SUSPECT,
        /** The holder has released it. */
        RELEASED,
        /** It ended before the holder released it. */
        LOST
    }

    /** The outcome of {@link #release()}. */
    enum Release {
        /**
         * The lock was held until now. It is free, handed to a waiter, kept for the rest of a
         * {@linkplain LockOptions#minimumHold(Duration) minimum hold}, or kept by this client because it is
         * {@linkplain LockOptions#sticky() sticky}.
         */
        RELEASED,
        /** The hold had been lost before. Another client may have held the lock since. */
        LOST,
        /**
         * The hold has ended for this client, but the store has not confirmed it. The client repeats the release in the
         * background until it succeeds or the lease has ended by itself. Until then other clients may have to wait.
         */
        PENDING
    }

    /**
     * Returns the lock's name.
     *
     * @return as given to {@link LockClient#lock(String)}; of several locks, all names in one text, for messages
     */
    String lockName();

    /**
     * Returns the fencing token. It is greater than the tokens of all earlier holds of this lock, in all clients. Send
     * it with each request to the protected resource, which refuses a token smaller than the greatest one that it has
     * seen.
     *
     * <p>The token of a writer is greater than those of all readers and writers before it. Readers of one client may
     * have the same one. The token of a permit identifies the hold: do not compare it.
     *
     * @return a positive number that may exceed 2<sup>53</sup>: store it as a 64-bit integer (SQL {@code BIGINT}), and
     *     as text zero-padded to 19 digits; it does not change, and may be read after the end of the hold
     * @throws IllegalStateException if this is the hold of several locks, which have a token each
     */
    long fencingToken();

    /**
     * Returns the names of the locks that are held together.
     *
     * @return the one name, or all names of {@link LockClient#allOf}, in their order
     */
    default List<String> lockNames() {
        return List.of(lockName());
    }

    /**
     * Returns the fencing token of one of the locks that are held together.
     *
     * @param lockName one of {@link #lockNames}
     * @return as for {@link #fencingToken()}
     * @throws IllegalArgumentException if this is not the hold of that lock
     */
    default long fencingToken(String lockName) {
        if (!requireNonNull(lockName, "lockName").equals(lockName())) {
            throw new IllegalArgumentException("lockName must be \"" + lockName() + "\", but was \"" + lockName + "\"");
        }
        return fencingToken();
    }

    /**
     * Returns the state by this machine's clocks. Sends nothing. {@code LOST} and {@code RELEASED} are final.
     *
     * @return the state at this moment
     */
    State state();

    /**
     * Returns whether the lock is still held, by this machine's clocks. Sends nothing.
     *
     * @return true while {@link State#HELD} or {@link State#SUSPECT}
     */
    boolean isHeld();

    /**
     * Returns how long the hold is valid if no further renewal succeeds. Sends nothing.
     *
     * @return what is left, zero once the hold has ended
     */
    Duration remaining();

    /**
     * Throws if the lock is no longer held, by this machine's clocks. Sends nothing.
     *
     * @throws LockLostException if it was lost
     * @throws IllegalStateException if it was released
     */
    void ensureHeld();

    /**
     * Asks the store to keep this hold for at least this time from now, unless it is released. Never shortens it. The
     * end of a {@linkplain LockOptions#fixedLease fixed lease} moves. A {@linkplain LockOptions#renewedLease renewed
     * lease} gets at least this length for now, and later its usual one: so it also lasts this long if no further
     * renewal succeeds. If the process ends meanwhile, others wait for the lock for as long.
     *
     * <p>Waits for the store for at most {@link LockClientBuilder#requestTimeout}. An interrupt does not stop it; the
     * flag is kept. If it throws a {@link LockException}, the hold is valid for as long as before, and the store may
     * keep it for longer. Some stores have no lease of their own for each hold. ZooKeeper, for example, keeps a hold as
     * long as the client's session. There, a hold can be extended only by what the session proves.
     *
     * <p>Of several locks, each is extended. Holds of readers that share a grant are extended together. The lock's next
     * holder gets a usual lease.
     *
     * @param time positive, and at most what the store allows
     * @throws LockLostException if the hold was lost before, or while this call waited
     * @throws IllegalStateException if it was released
     * @throws IllegalArgumentException if the time is not positive, is longer than the store allows, or ends after the
     *     {@linkplain LockOptions#maximumHold(Duration) maximum hold}
     * @throws LockException if the store has not answered or has refused it, or if it has confirmed less than this time
     */
    void extend(Duration time);

    /**
     * Returns once at least this much validity is {@linkplain #remaining() left}. Call it before a step that cannot be
     * interrupted. Sends nothing if that much is left already. Otherwise renews the lease with one request, or waits
     * for a renewal under way, for at most {@link LockClientBuilder#requestTimeout}. An interrupt does not stop it; the
     * flag is kept.
     *
     * @param time positive, and less than the lease by the allowance for clocks
     * @throws LockLostException if the hold was lost before, or while this call waited
     * @throws IllegalStateException if it was released
     * @throws IllegalArgumentException if the time is not positive, or longer than the lease can be valid
     * @throws LockException if the store has not answered or has refused it, if it has confirmed less than this time,
     *     or if the hold ends earlier by its fixed lease or its maximum hold
     */
    void ensure(Duration time);

    /**
     * Runs an action when no more than this much validity is {@linkplain #remaining() left}. It runs once, on the
     * client's callback executor: at once if no more is left already. If the hold is renewed to more than that, the
     * action runs again when the validity falls again. It does not run after the hold has ended, nor if the hold ends
     * without falling to this time, as after a pause of the whole process. Several actions may be registered. What one
     * throws is logged.
     *
     * <p>The leases of {@linkplain LockOptions#renewedLease renewed} holds are renewed after a third of their length.
     * So an action with less than half of the lease runs only if renewals fail. Of several locks, the action runs for
     * each.
     *
     * @param time positive
     * @param action what to do
     * @throws IllegalArgumentException if the time is not positive
     */
    void warnBefore(Duration time, Runnable action);

    /**
     * Registers a listener for the loss of this hold. It is called once, on the client's callback executor: at once if
     * the hold is lost already, and never if it is released before. If {@link #release()} returns {@link Release#LOST},
     * the listeners have been called or will be, even if the handle is dropped at once. Several may be registered. What
     * a listener throws is logged.
     *
     * @param listener what to do
     */
    void onLost(Consumer<? super LockLoss> listener);

    /**
     * Cancels a future if this hold is lost: {@code future.cancel(true)}, once, on the client's callback executor. It
     * does so at once if the hold is lost already, and never if the hold is released before. This follows the rules of
     * {@link #onLost}. The handle does not keep futures that are done, apart from a few. So a long hold may register
     * any number. A future that is registered twice counts once. If several locks that are held together are lost at
     * the same time, each of them may cancel it.
     *
     * <p>To cancel a {@link CompletableFuture} neither interrupts code that runs, nor does it cancel the stages before
     * it. Pass the stage whose code must not begin after the loss: this stage and those that depend on it then fail. If
     * the chain has several stages that need the lock, pass each of them, or check the hold in them.
     *
     * @param future what to cancel
     */
    default void cancelOnLoss(Future<?> future) {
        requireNonNull(future, "future");
        onLost(loss -> future.cancel(true));
    }

    /**
     * Registers a listener for the requests of others to release this hold: {@link LockInspector#requestRelease}.
     * Nothing is released by itself: the listener decides. It is called on the client's callback executor, at most once
     * for each request, and at once for the last request that came earlier in this hold. It is never called after the
     * hold has ended, nor for a request from before the hold, except for one from a round trip before a local handoff
     * or a downgrade. Several may be registered. What a listener throws is logged.
     *
     * <p>A request arrives within a second while the store answers. The store keeps it for a minute at least, so a
     * client that was cut off for less hears of it afterwards. If several requests come within half a second, only the
     * last one may be reported. While a hold has a listener, its client asks the store twice a second.
     *
     * @param listener what to do
     * @throws UnsupportedOperationException if the store has no such requests
     */
    void onReleaseRequested(Consumer<? super ReleaseRequest> listener);

    /**
     * Detaches this handle from the thread that has acquired it. This is for work that still uses the hold while the
     * thread does something else. If the thread has no other handle of the hold and has not locked it, its acquires
     * then wait for the hold as those of other threads do, and a loss no longer
     * {@linkplain LockOptions#interruptOnLoss() interrupts} it. Otherwise its
     * {@linkplain DistributedLock#reentrant() reentrant} acquires still join the hold. Sends nothing. Does nothing if
     * the hold has no thread or has ended, or if it is a read hold that its thread has acquired under its own write
     * hold.
     */
    default void detach() {}

    /**
     * Releases the lock, and waits for the store for at most {@link LockClientBuilder#requestTimeout}. An interrupt
     * does not stop it; the flag is kept. Never throws because of the store. A second call changes nothing and returns
     * what is known about the end of the hold.
     *
     * @return the outcome
     */
    @CanIgnoreReturnValue
    Release release();

    /**
     * Releases the lock without waiting for the store. For this client the hold has ended when this returns.
     *
     * @return completed, never exceptionally, with what {@link #release()} would return
     */
    @CanIgnoreReturnValue
    CompletableFuture<Release> releaseAsync();

    /**
     * Releases the lock like {@link #release()}, and throws if the hold was lost, so that a block that continued after
     * the loss does not end normally. A second call, or one after {@code release()}, does nothing.
     *
     * @throws LockLostException if the hold was lost before; a new one for each first call
     */
    @Override
    void close();
}
