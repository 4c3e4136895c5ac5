package io.github.distlock;

/**
 * Receives the events of a client's locks, for metrics and audit. All methods do nothing unless overridden; more may
 * come.
 *
 * <p>Calls come one after another on the client's callback executor, those of one hold in the order of the events. What
 * a listener throws is logged. A slow listener delays only itself: up to 10,000 events wait for it. The client drops
 * later ones and logs their number.
 */
public interface LockListener {

    /**
     * An acquire began to wait, because the lock was busy or the store did not answer at once.
     *
     * @param event its duration is zero
     */
    default void waiting(LockEvent event) {}

    /**
     * An acquire that had waited ended without a hold, because its time was over and the lock was busy.
     *
     * @param event its duration is the time that the acquire took
     * @param blocker what kept the acquire from the lock, as far as the client knows it without another request. This
     *     is for people: its words may change
     */
    default void timedOut(LockEvent event, String blocker) {}

    /**
     * An acquire ended without a hold. An acquire that has waited and then timed out is reported to {@link #timedOut},
     * too.
     *
     * @param event its duration is the time that the acquire took
     * @param outcome why; never {@link AcquireOutcome#ACQUIRED}
     */
    default void notAcquired(LockEvent event, AcquireOutcome outcome) {}

    /**
     * A hold began.
     *
     * @param event its duration is the time that the acquire took
     */
    default void acquired(LockEvent event) {}

    /**
     * A hold began without a request to the store. Its {@code acquired} is reported, too, and so is the
     * {@code released} of the hold before it, in no fixed order.
     *
     * @param event its token is the new hold's; its duration is the time since the grant
     * @param kind how the caller got the hold
     */
    default void handedOff(LockEvent event, HandoffKind kind) {}

    /**
     * A lease was renewed.
     *
     * @param event its duration is the time that the renewal took
     */
    default void renewed(LockEvent event) {}

    /**
     * A renewal was not answered or failed. The hold is still valid, and the client tries again. If the store answers
     * that the hold is gone, {@link #lost} is called instead.
     *
     * @param event its duration is the time that the renewal took
     * @param cause why
     */
    default void renewalFailed(LockEvent event, Throwable cause) {}

    /**
     * A renewal failed or the connection is in doubt. The hold is still valid.
     *
     * @param event its duration is the time that is left
     */
    default void suspect(LockEvent event) {}

    /**
     * Another client waits for a lock that this client holds. Only some stores report this.
     *
     * @param event its duration is the time for which the lock has been held
     */
    default void wanted(LockEvent event) {}

    /**
     * A request to release a hold has reached a listener that the holder has registered with
     * {@link LockHandle#onReleaseRequested}. Without such a listener, the client hears of no request.
     *
     * @param event its duration is the time for which the lock has been held
     * @param request who asked, and when
     */
    default void releaseRequested(LockEvent event, ReleaseRequest request) {}

    /**
     * A hold was lost.
     *
     * @param event its duration is the time for which the lock was held
     * @param reason why
     */
    default void lost(LockEvent event, LossReason reason) {}

    /**
     * A hold was released.
     *
     * @param event its duration is the time for which the lock was held
     * @param outcome what the store answered
     */
    default void released(LockEvent event, LockHandle.Release outcome) {}

    /**
     * A thread waits in a circle of threads of this client, each of which waits for a lock that the next one holds. Or
     * a thread waits for a lock that it holds itself. The log has the stacks. The acquire goes on, because another
     * thread may close a handle.
     *
     * @param event the lock for which the thread waits; its duration is the time since the acquire began
     */
    default void deadlocked(LockEvent event) {}

    /**
     * A handle was dropped without being closed. The client releases the hold.
     *
     * @param event its duration is the time for which the lock was held
     */
    default void leaked(LockEvent event) {}

    /**
     * This listener was too slow, so events were dropped.
     *
     * @param count how many since the last call
     */
    default void eventsDropped(long count) {}
}
