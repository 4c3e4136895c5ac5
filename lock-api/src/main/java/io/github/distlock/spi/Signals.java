package io.github.distlock.spi;

/**
 * Hints from the store about one place and the hold that it won. Any thread may call at any time and as often as it
 * likes, before and after the calls that they are about; nothing here blocks or throws. Nothing <em>depends</em> on a
 * hint: a missed one costs time, a false one a request. Only {@link #gone()} must be true.
 */
public interface Signals {

    /** Asking again now may be worth it: the lock was freed, handed over, or the connection is back. */
    void wakeUp();

    /** Another client waits for the lock that this one holds. */
    void wanted();

    /** The connection that keeps the hold alive is in doubt. The hold is valid for as long as it was before. */
    void suspect();

    /** The store has certainly ended this hold. */
    void gone();
}
