package io.github.distlock.spi;

/**
 * Hints from the store about one contender, and about the hold that it won. Any thread may call at any time and as
 * often as it likes, before and after the calls that the hints are about. No method blocks or throws. Nothing
 * <em>depends</em> on a hint: a missing hint costs time, a false hint costs a request. Only {@link #gone()} must be
 * true.
 */
public interface Signals {

    /** Another attempt may succeed now: the lock was freed or handed to this contender, or the connection is back. */
    void wakeUp();

    /**
     * Another client waits for the lock that this contender holds. If the hold is
     * {@linkplain LockRequest#isSticky sticky}, this also means that the store has answered a single try busy.
     */
    void wanted();

    /** The connection that keeps the hold alive is in doubt. The hold is valid for as long as before. */
    void suspect();

    /**
     * The store has certainly ended this hold, or this client can certainly never use it again. The engine does not
     * clean up.
     */
    void gone();
}
