package io.github.distlock.spi;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * One client's connection to one store. The engine owns the backend that it was given, and closes it.
 *
 * <p><b>Division of labor.</b> A backend never waits for a lock. Each method asks the store one question, within the
 * {@link Deadline} that comes with it, and returns. The engine decides when to ask again, whom to notify and what to
 * clean up. The cut is the one of {@link java.util.concurrent.locks.AbstractQueuedSynchronizer}.
 *
 * <p><b>Threads.</b> Any number of threads may call all methods at the same time: callers' own threads, platform or
 * virtual, and the engine's. An implementation must not hold a monitor while it waits for the store. Its own threads
 * are daemons.
 *
 * <p><b>Interruption.</b> Each method that asks the store may throw {@code InterruptedException} if its thread is
 * interrupted; the outcome is unknown then. A backend may ignore an interrupt instead, and leave the flag set.
 *
 * <p><b>Errors.</b> A method that sends something ends in one of three ways:
 * <ul>
 *   <li>it returns: that is the store's answer;
 *   <li>it throws {@link RequestRefusedException}: the store has certainly not done it, and the same request would be
 *         refused again (missing rights, a foreign value at the key). The engine passes the server's words on at once;
 *   <li>it throws anything else: the outcome is <em>unknown</em>. The engine asks again or cleans up, so every request
 *         must be safe to repeat after an unknown outcome. The message of the exception should contain the server's own
 *         words.
 * </ul>
 *
 * <p><b>Time.</b> A method that has no answer by its deadline throws. A backend reads {@link #clock()}
 * <em>before</em> it sends a request, and dates the validity of a hold with that.
 */
public interface LockBackend extends AutoCloseable {

    /**
     * Returns what this backend can do besides plain exclusive locks. It does not change. The engine refuses what is
     * missing when a lock is made, and never uses something else in silence. Sends nothing.
     *
     * @return an immutable set
     */
    Set<Capability> capabilities();

    /**
     * Gives this backend what the engine offers. The engine calls this once, before it asks for anything. Sends
     * nothing.
     *
     * @param context the client's name, threads and log
     */
    default void start(BackendContext context) {}

    /**
     * Makes a contender for a lock. Sends nothing. The engine {@linkplain Contender#forget() says} when it needs the
     * contender no longer.
     *
     * @param request what is wanted; the engine asks for nothing outside {@link #capabilities()}
     * @param signals receives hints about this contender, and later about the hold that it won
     * @return a new contender with its own identity, which was never used before
     */
    Contender contend(LockRequest request, Signals signals);

    /**
     * Throws if the calling thread must not wait for this store, because the store's client needs that thread to
     * receive answers. The engine asks before each blocking acquire, which may wait for another one and ask nothing.
     * Sends nothing.
     *
     * @throws RequestRefusedException says which thread to use instead
     */
    default void requireMayWait() {}

    /**
     * Renews holds: one exchange per server, whatever their number. The backend answers each renewal through its
     * methods. An unanswered renewal counts as unknown. Renewing never creates: a hold that the store no longer has is
     * {@linkplain Renewal#gone() gone}. A grant of another backend is an error.
     *
     * <p>The engine calls this on its own threads. It runs several batches at the same time only if an earlier one is
     * late. A holder that asks for more time renews its hold on its own thread, beside these batches. A backend with
     * connections renews over one that no acquire can exhaust.
     *
     * @param due holds of this backend, all of one {@link Grant#server() server}
     * @param deadline when an unanswered exchange must have been given up
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException;

    /**
     * Ends holds, as {@link Grant#release} does: one exchange per server, whatever their number. The engine calls this
     * when a client closes. Without an override, this releases one hold after the other.
     *
     * @param grants holds of this backend, all of one {@link Grant#server() server}
     * @param deadline when an unanswered exchange must have been given up
     * @return what was found for each hold whose release was answered; the outcome of the others is unknown
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    default Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        Map<Grant, Grant.Release> found = new HashMap<>();
        for (Grant grant : grants) {
            if (deadline.hasPassed()) {
                break;
            }
            try {
                found.put(grant, grant.release(deadline));
            } catch (RuntimeException e) {
                // The outcome is unknown, and the next hold may have another one.
            }
        }
        return found;
    }

    /**
     * Tells the store that contenders still wait: one exchange, whatever their number. The engine calls this for each
     * server every {@link #heartbeatInterval()}, with all contenders that wait and whose last answer was
     * {@linkplain Attempt.Busy busy}, and with those whose hold {@linkplain Grant#hearsOthers hears others}. Calls for
     * different servers run at the same time, and calls for one server do not. An error needs no report: the next call,
     * or the next attempt of each contender, makes up for it. A contender of another backend is an error.
     *
     * @param waiting contenders of this backend, all of one {@link Contender#server() server}
     * @param deadline when an unanswered exchange must have been given up
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    default void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {}

    /**
     * Returns how often waiting contenders need a {@linkplain #heartbeat heartbeat}. The engine asks after busy answers
     * and after heartbeats, since a backend may know it only after it has connected. Sends nothing.
     *
     * @return a positive interval, or {@link Duration#ZERO} if the store needs none
     */
    default Duration heartbeatInterval() {
        return Duration.ZERO;
    }

    /**
     * Returns how long the store keeps a hold or a queue entry of a silent client, whichever it keeps longer: the
     * lease, or a session's timeout, and the {@linkplain LockRequest#lockDelay lock delay}. By then the lock of a
     * crashed holder is free (promise V1). The engine cleans up for as long, or longer if {@link #isBoundToSession}
     * says so.
     *
     * @param request the hold or entry in question
     * @return a positive bound
     */
    Duration expiry(LockRequest request);

    /**
     * Returns whether holds and queue entries live as long as a session of the client, which all its requests keep
     * alive. Then nothing that one acquire left ends by itself while others continue, and the engine cleans up until it
     * succeeds.
     *
     * @return false unless overridden: each hold and each entry has its own end
     */
    default boolean isBoundToSession() {
        return false;
    }

    /**
     * Returns the shortest lease that makes sense on this store. The engine refuses shorter ones when a lock is made.
     *
     * @return 100 ms unless overridden
     */
    default Duration minimumLease() {
        return Duration.ofMillis(100);
    }

    /**
     * Returns the longest lease with its {@linkplain LockRequest#lockDelay lock delay}, and the longest minimum hold,
     * that is safe on this store. The engine refuses longer ones when a lock is made.
     *
     * @return 24 hours unless overridden
     */
    default Duration maximumLease() {
        return Duration.ofHours(24);
    }

    /**
     * Reads what the store knows of a lock. Changes nothing, creates nothing. The engine calls this only with
     * {@link Capability#INSPECT}.
     *
     * @param name the lock's name
     * @param deadline when to give up
     * @return holders and waiters, as far as the store knows them
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    default LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.INSPECT);
    }

    /**
     * Reads a page of the names of locks that begin with a prefix and that are held, waited for or kept. Changes
     * nothing. A page has a bounded size, so that it neither blocks the store nor fills the heap. The engine asks for
     * one page after the other, and calls this only with {@link Capability#LIST}.
     *
     * <p>A name that is in use from the first page to the last is on one of them at least. It may be on several.
     *
     * @param prefix the beginning of the names, character by character; empty for all names
     * @param position {@link LockNames#next} of the page before, or empty for the first page
     * @param deadline when to give up
     * @return names, and where the next page begins
     * @throws UnsupportedOperationException if this backend cannot list the names; says why
     * @throws InterruptedException if the thread is interrupted while it waits for the store
     */
    default LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.LIST);
    }

    /**
     * Takes a lock away from all its holders, or from one of them, in one atomic step. Waiters stay, and those that fit
     * are served. The token of the next grant is greater, as always. The engine calls this only with
     * {@link Capability#FORCE_RELEASE}, from an inspector, which exists only with {@link Capability#INSPECT}.
     *
     * <p>Without a base, this ends all holds, and what {@link Grant#keep} has begun. With a base, it ends the hold that
     * has this base now, and nothing else. So it changes nothing if this hold has ended, even if the lock is kept.
     *
     * @param name the lock's name
     * @param fencingBase the base of the only hold to end, or empty for all holds
     * @param deadline when to give up
     * @return the holds that were ended; empty if there was none
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    default List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.FORCE_RELEASE);
    }

    /**
     * Stores a request to release a lock, for all holds that exist at that moment, in one atomic step. It changes no
     * hold. But it calls {@link Signals#wanted} for a {@linkplain LockRequest#isSticky sticky} hold. The store keeps
     * the last request of each hold, for a minute at least while the hold lasts, and drops it afterwards. The engine
     * calls this only with {@link Capability#RELEASE_REQUESTS}.
     *
     * @param name the lock's name
     * @param requester who asks
     * @param deadline when to give up
     * @return the number of those holds; 0 if there was none, and then nothing is stored
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown
     */
    default int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.RELEASE_REQUESTS);
    }

    /**
     * Reads the last request to release each of some holds: one exchange, whatever their number. A request counts for a
     * hold only if it came after its grant. The engine calls this twice a second, for holds with a listener. Calls for
     * different servers run at the same time, and calls for one server do not. An error needs no report: the next call
     * makes up for it. A grant of another backend is an error.
     *
     * @param grants holds of this backend, all of one {@link Grant#server() server}
     * @param deadline when an unanswered exchange must have been given up
     * @return the last request for each hold that has one
     * @throws InterruptedException if the thread is interrupted while it waits for the store
     */
    default Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return Map.of();
    }

    /**
     * Returns the time that engine and backend share. It is the system's, unless tests move time.
     *
     * @return always the same clock
     */
    default LockClock clock() {
        return LockClock.system();
    }

    /**
     * Closes the backend's own connections. The next request opens new ones. The engine calls this before a checkpoint
     * of the process, when it has no hold, no waiter and no request under way. Idempotent.
     */
    default void disconnect() {}

    /**
     * Ends what this backend owns: connections, threads, timers. A caller-supplied client stays open and unchanged. The
     * engine calls this once, after the last hold was released. Requests under way end soon with an exception.
     * Idempotent.
     */
    @Override
    void close();
}
