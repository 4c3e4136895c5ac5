package io.github.distlock.spi;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The store's view of one hold. The engine renews and releases it from changing threads. It releases only after it has
 * stopped renewing, and releases again only after an unknown outcome. Only a renewal that a holder asks for on another
 * thread may still be under way then: it changes nothing. There is a happens-before edge from the attempt that won it
 * to each call, and from one release to the next.
 */
public interface Grant {

    /** What a release found. */
    enum Release {
        /**
         * The hold was there and has ended now, or an earlier unanswered request of this release has ended it. A
         * repeated release that finds nothing answers this, unless it knows better.
         */
        RELEASED,
        /** The store no longer had the hold. Nothing was changed. */
        GONE
    }

    /**
     * Returns the base of the fencing tokens of this hold. It is greater than the bases of all earlier grants of the
     * same name, across holders, crashes, restarts and loss of the store's data, as far as the backend's documentation
     * promises. The engine makes tokens of it: {@code base * 256 + n}. A {@link #nextBase} need not change the result.
     *
     * @return a number from 1 to 2<sup>55</sup> − 1
     */
    long fencingBase();

    /**
     * Returns how long this client can trust the grant. It begins before the request that proves it was sent. The
     * engine takes off what clocks may differ by.
     *
     * @return the validity at the time of the grant; renewals report theirs to {@link Renewal#renewed}
     */
    Validity validity();

    /**
     * Returns how long this client can trust the grant by now. The engine asks before it reports that the hold has
     * expired. So an answer counts that came after the deadline of its request. Any thread may call this. It does no
     * I/O, and does not wait for any.
     *
     * @return the same as {@link #validity()} unless overridden, or what answers have proved since
     */
    default Validity latestValidity() {
        return validity();
    }

    /**
     * Returns whether this client knows that the hold has ended, although the backend has not called
     * {@link Signals#gone}: because it has begun to end the hold, or because the store has granted the lock to another
     * contender. The engine asks whenever a holder does, and at least every second. Any thread may call this. It
     * does no I/O, and does not wait for any.
     *
     * @return false unless overridden
     */
    default boolean hasEnded() {
        return false;
    }

    /**
     * Returns whether the backend calls {@link Signals#wanted} for each other contender that the store has answered
     * busy since this grant. This includes single tries, and the call may follow a little later. The engine keeps a
     * {@linkplain LockRequest#isSticky sticky} hold between two holders only while this is true. The result is false
     * from the beginning if others may have been waiting at the time of the grant. It becomes false if messages may
     * have been lost, and stays false. Any thread may call this. It does no I/O, and does not wait for any.
     *
     * @return false unless overridden: each release goes to the store
     */
    default boolean hearsOthers() {
        return false;
    }

    /**
     * Returns the server that keeps this hold at present. The engine renews holds of different servers independently,
     * so that one stuck server delays no other server's holds. It asks at each renewal and at the release, because a
     * hold may move to another server. Any thread may call this. It does no I/O, and does not wait for any.
     *
     * @return a key with {@code equals}; the same for all holds of a backend on one server
     */
    default Object server() {
        return "";
    }

    /**
     * Ends this hold and no other, whichever client holds the lock by now. The next waiter is served.
     *
     * @param deadline when to give up
     * @return what was found
     * @throws RequestRefusedException if it can never succeed; the engine logs it
     * @throws InterruptedException as for {@link Contender#attempt}
     */
    Release release(Deadline deadline) throws InterruptedException;

    /**
     * Ends this hold and no other, and keeps the lock busy for all contenders in the same step. When the time is over
     * by the store's clock, the next waiter is served. The store keeps the lock without this client, which may close or
     * crash. If the hold is not there any more, nothing is kept. The engine calls this in place of {@link #release}
     * only if {@link LockRequest#minimumHold} or {@link LockRequest#lockDelay} is not zero, and only for
     * {@link LockMode#EXCLUSIVE} holds. A repeated call keeps the lock no longer than the first one does.
     *
     * @param time how long from now; positive, at most 24 hours; a store that counts coarser rounds up
     * @param deadline when to give up
     * @return what was found
     * @throws RequestRefusedException as for {@link #release}
     * @throws InterruptedException as for {@link Contender#attempt}
     */
    Release keep(Duration time, Deadline deadline) throws InterruptedException;

    /**
     * Mints another fencing base for this hold, if no other contender waits for the lock at that moment. A look at the
     * queue before that moment does not suffice. The new base takes the place of the one before: it is greater than all
     * bases that the name has had, and later grants have greater ones. If this returns empty, the store may have
     * another base all the same, but the same holder. The validity does not change, and a hold that has ended stays
     * ended.
     *
     * <p>The engine calls this when the local handoffs of a lease are nearly used up. With a base, it counts them from
     * zero. Without one, the lease goes back to the store, as for a backend that does not override this method. The
     * engine calls this only for {@link LockMode#EXCLUSIVE} holds, and never twice at the same time. But it may renew
     * and {@linkplain #release release} the hold meanwhile. It does not repeat a call without an answer, and a later
     * call or a release follows.
     *
     * @param deadline when to give up
     * @return a base as {@link #fencingBase} describes it; empty if another contender waits or may wait, or if the
     *     store no longer has the hold
     * @throws RequestRefusedException if it can never succeed
     * @throws InterruptedException as for {@link Contender#attempt}
     */
    default OptionalLong nextBase(Deadline deadline) throws InterruptedException {
        return OptionalLong.empty();
    }

    /**
     * Turns this write hold into a read hold, in one step: no other write hold fits between the two. The read hold has
     * the same fencing base and a new full lease. Waiting readers at the head of the queue are served. The engine calls
     * this only with {@link Capability#READ_WRITE}, for a {@link LockMode#WRITE} hold, after it has stopped renewing
     * it. After an unknown outcome it repeats the call, or {@linkplain #release releases} this grant: that ends the
     * hold in either mode.
     *
     * @param deadline when to give up
     * @return the read hold of the same contender, or empty if the store no longer had the hold
     * @throws RequestRefusedException if it can never succeed
     * @throws InterruptedException as for {@link Contender#attempt}
     */
    default Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.READ_WRITE);
    }
}
