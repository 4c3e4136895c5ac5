package io.github.distlock;

/**
 * Is told what happens to the locks of a client, for metrics and audit. All methods do nothing unless overridden; more
 * may come.
 *
 * <p>Calls come one after another, those of one hold in the order in which things happened, on the client's callback
 * executor. What a
 * listener throws is logged. One that is slow holds up only itself: up to 10,000 events wait for it, later ones are
 * dropped, and how many were is logged.
 */
public interface LockListener {

    /**
     * An acquire began to wait: the lock was not to be had at once.
     *
     * @param event its duration is zero
     */
    default void waiting(LockEvent event) {}

    /**
     * A hold began.
     *
     * @param event its duration is the time that the acquire took
     */
    default void acquired(LockEvent event) {}

    /**
     * A hold was handed to another waiter of the same client without a request to the store. The {@code released} of
     * the one hold and the {@code acquired} of the other are reported, too, in no fixed order.
     *
     * @param event its token is the new hold's; its duration is the time since the grant
     */
    default void handedOff(LockEvent event) {}

    /**
     * A hold was extended.
     *
     * @param event its duration is the time that the renewal took
     */
    default void renewed(LockEvent event) {}

    /**
     * A renewal failed or the connection is in doubt: the hold is still valid.
     *
     * @param event its duration is the time that is left
     */
    default void suspect(LockEvent event) {}

    /**
     * Another client waits for a lock that this one holds; only where the store tells.
     *
     * @param event its duration is the time for which it has been held
     */
    default void wanted(LockEvent event) {}

    /**
     * A hold was lost.
     *
     * @param event its duration is the time for which it had been held
     * @param reason why
     */
    default void lost(LockEvent event, LossReason reason) {}

    /**
     * A hold was released.
     *
     * @param event its duration is the time for which it had been held
     * @param outcome what the store said
     */
    default void released(LockEvent event, LockHandle.Release outcome) {}

    /**
     * A handle was dropped without being closed; the hold is being released.
     *
     * @param event its duration is the time for which it had been held
     */
    default void leaked(LockEvent event) {}
}
