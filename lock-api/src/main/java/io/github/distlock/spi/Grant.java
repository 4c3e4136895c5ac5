package io.github.distlock.spi;

/**
 * The store's view of one hold. The engine renews and releases it from changing threads; it releases only after it has
 * stopped renewing, and asks to release again only after an unknown outcome. There is a happens-before edge from the
 * attempt that made it to each call, and from one release to the next.
 */
public interface Grant {

    /** What a release found. */
    enum Release {
        /**
         * The hold was there, and is ended now or was ended by an earlier, unanswered request of this release: one that
         * is repeated and finds nothing answers this, unless it knows better.
         */
        RELEASED,
        /** The hold was no longer there. Nothing was changed. */
        GONE
    }

    /**
     * The base of the fencing tokens of this hold: greater than that of every earlier exclusive grant of the same name,
     * over holders, crashes, restarts and loss of the store's data, as far as the backend's documentation promises. The
     * engine makes tokens of it as {@code base * 256 + pass}.
     *
     * @return a number from 1 to 2<sup>55</sup> − 1
     */
    long fencingBase();

    /**
     * How long the grant is good for, dated before the request that proves it was sent: as long as the store keeps it.
     * What clocks may differ by is the engine's to take off.
     *
     * @return the validity as it was when the grant was made; renewals report theirs to {@link Renewal#renewed}
     */
    Validity validity();

    /**
     * The server that keeps this hold. Holds of different servers are renewed independently, so that one stuck server
     * delays nobody else's.
     *
     * @return a key with {@code equals}; the same for all holds of a backend over one server
     */
    default Object server() {
        return "";
    }

    /**
     * Ends this hold, and only this one, whoever may hold the lock by now; the next waiter is served.
     *
     * @param deadline when to give up
     * @return what was found
     * @throws RequestRefusedException when it can never succeed; the engine reports it
     * @throws InterruptedException as for {@link Contender#attempt}
     */
    Release release(Deadline deadline) throws InterruptedException;
}
