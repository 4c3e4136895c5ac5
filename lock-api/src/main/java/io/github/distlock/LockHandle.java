package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * One hold of a lock. It belongs to whoever has this object: it may be passed to another thread and closed there.
 * Thread-safe. Closing it is part of the contract; one that is dropped unclosed is released when it has been garbage
 * collected, with an error in the log.
 *
 * <p><b>Life.</b> One way only: {@link State#HELD}, at times {@link State#SUSPECT} and back, then
 * {@link State#RELEASED} or {@link State#LOST}, for ever.
 *
 * <p><b>Loss.</b> A hold is lost when its time has run out without a renewal that the store confirmed, or when the
 * store says that it is gone. Time is counted on this machine's clocks from before the last confirmed request was sent,
 * so that {@link #isHeld()} is false no later than the lock may be another's, while the store keeps its data and its
 * clock. Methods that ask are exact at the moment of asking. Listeners run as soon as the process does: after a pause
 * of the whole process they may come after the first statement of a resumed thread.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public interface LockHandle extends AutoCloseable {

    /** Where a hold stands. */
    enum State {
        /** Held, as far as this client's clocks and the store's last answer tell. */
        HELD,
        /** Still held, but the last renewal failed or the connection is in doubt. */
        SUSPECT,
        /** Ended by its holder. */
        RELEASED,
        /** Ended before its holder released it. */
        LOST
    }

    /** What {@link #release()} achieved. */
    enum Release {
        /** The lock was held up to now and is free, or passed on. */
        RELEASED,
        /** The hold had been lost before; another may have had the lock since. */
        LOST,
        /**
         * The hold is ended for this client, but the store has not confirmed it: releasing goes on in the background
         * until it is done, or the lease has ended by itself. Until then others may have to wait.
         */
        PENDING
    }

    /**
     * The lock's name.
     *
     * @return as given to {@link LockClient#lock(String)}
     */
    String lockName();

    /**
     * The fencing token: greater than that of every earlier hold of this lock, whoever had it. Send it along with
     * whatever the lock protects, and let the receiver refuse what comes with a smaller one than it has seen.
     *
     * @return a positive number that may exceed 2<sup>53</sup>: store it as a 64-bit integer (SQL {@code BIGINT}), and
     *     as text zero-padded to 19 digits; stays the same for the life of the handle, and may be read after its end
     */
    long fencingToken();

    /**
     * Where this hold stands, by this machine's clocks. Sends nothing. An answer of {@code LOST} or {@code RELEASED} is
     * final.
     *
     * @return the state at this moment
     */
    State state();

    /**
     * Whether the lock is still held, by this machine's clocks. Sends nothing.
     *
     * @return true while {@link State#HELD} or {@link State#SUSPECT}
     */
    boolean isHeld();

    /**
     * How long the hold is good for, should no renewal succeed any more. Sends nothing.
     *
     * @return what is left, zero once the hold has ended
     */
    Duration remaining();

    /**
     * Goes on only while the lock is held, by this machine's clocks. Sends nothing.
     *
     * @throws LockLostException when it was lost
     * @throws IllegalStateException when it was released
     */
    void ensureHeld();

    /**
     * Registers a listener for the loss of this hold: called once, on the client's callback executor, at once when the
     * hold is lost already, never when it is released before. Whenever {@link #release()} answers {@link Release#LOST}
     * the listeners have been called or are about to be, also if the handle is dropped at once. Several may be
     * registered. What a listener throws is logged.
     *
     * @param listener what to do
     */
    void onLost(Consumer<? super LockLoss> listener);

    /**
     * Ends the hold, waiting for the store for at most {@link LockClientBuilder#requestTimeout}. Not interruptible; an
     * interrupt flag is kept. Never throws for trouble with the store. A second call changes nothing and returns what
     * the hold's end is known to be by then.
     *
     * @return what was achieved
     */
    @CanIgnoreReturnValue
    Release release();

    /**
     * Ends the hold without waiting for the store: for this client it has ended when this returns.
     *
     * @return completed, never exceptionally, with what {@link #release()} would return
     */
    @CanIgnoreReturnValue
    CompletableFuture<Release> releaseAsync();

    /**
     * Ends the hold like {@link #release()}, and makes sure that a block that went on after its hold was lost does not
     * end as if nothing had happened. Closing twice, or after a {@code release()}, does nothing.
     *
     * @throws LockLostException when the hold had been lost before; a new one for each first call
     */
    @Override
    void close();
}
