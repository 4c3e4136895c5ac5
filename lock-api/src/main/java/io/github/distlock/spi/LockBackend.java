package io.github.distlock.spi;

import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;

/**
 * One client's way to one store. The engine owns the backend that it was given and closes it.
 *
 * <p><b>Division of labour.</b> A backend never waits for a lock: each method asks the store one question, bounded by
 * the {@link Deadline} that comes with it, and returns. When to ask again, whom to tell and what to clean up is the
 * engine's part. The cut is that of {@link java.util.concurrent.locks.AbstractQueuedSynchronizer}.
 *
 * <p><b>Threads.</b> All methods may be called from any number of threads at once: callers' own threads, platform or
 * virtual, and the engine's. An implementation must not hold a monitor while it waits for the store. Threads of its own
 * are daemons.
 *
 * <p><b>Interruption.</b> Each method that asks the store may throw {@code InterruptedException} if its thread is
 * interrupted; the outcome is unknown then. A backend may ignore an interrupt instead, and leave the flag set.
 *
 * <p><b>Errors.</b> A method that sends something ends in one of three ways:
 * <ul>
 *   <li>it returns: that is the store's answer;
 *   <li>it throws {@link RequestRefusedException}: the store has definitely not done it, and asking again in the same
 *       way is pointless (missing rights, a foreign value at the key). The engine passes the server's words on at once;
 *   <li>it throws anything else: the outcome is <em>unknown</em>. The engine asks again or cleans up, so every request
 *       must be safe to repeat after an unknown outcome. The exception's message should carry the server's own words.
 * </ul>
 *
 * <p><b>Time.</b> Requests end by their deadline: a method that has no answer by then throws. What proves a hold is
 * dated with {@link #clock()} <em>before</em> it is sent.
 */
public interface LockBackend extends AutoCloseable {

    /**
     * What this backend can do besides plain exclusive locks; constant over its life. The engine refuses what is
     * missing when a lock is made, and never falls back in silence. Sends nothing.
     *
     * @return an immutable set
     */
    Set<Capability> capabilities();

    /**
     * Prepares one place in the contest for a lock. Sends nothing yet and keeps nothing: a contender that was never
     * asked may be dropped.
     *
     * @param request what is wanted; the engine asks for nothing outside {@link #capabilities()}
     * @param signals where hints about this place, and later about the hold that it won, go
     * @return a new contender with an identity of its own, never used before
     */
    Contender contend(LockRequest request, Signals signals);

    /**
     * Extends the validity of holds: one exchange per server, whatever their number. Each renewal is answered through
     * its own methods; one that is left unanswered, for whatever reason, counts as unknown. Renewing never creates: a
     * hold that the store no longer has is {@linkplain Renewal#gone() gone}.
     *
     * <p>Called on an engine thread, for several batches side by side only when an earlier one is late. A backend with
     * connections renews over one that no acquire can exhaust.
     *
     * @param due holds of this backend, all of one {@link Grant#server() server}
     * @param deadline when an unanswered exchange must have been given up
     * @throws InterruptedException if the thread was interrupted while it waited for the store: outcome unknown
     */
    void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException;

    /**
     * Tells the store that places are still wanted: one exchange per server. Called every {@link #heartbeatInterval()}
     * with all contenders whose last answer was {@linkplain Attempt.Busy busy} and that wait. An error needs no report:
     * the next call, or the next attempt of each contender, makes up for it.
     *
     * @param waiting contenders of this backend
     * @param deadline when an unanswered exchange must have been given up
     * @throws InterruptedException if the thread was interrupted while it waited for the store: outcome unknown
     */
    default void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {}

    /**
     * How often waiting contenders need a {@linkplain #heartbeat heartbeat}.
     *
     * @return a positive interval, or {@link Duration#ZERO} when the store needs none
     */
    default Duration heartbeatInterval() {
        return Duration.ZERO;
    }

    /**
     * How long the store keeps a hold or a place of a client that has gone silent, whichever it keeps longer: the
     * lease, or a session's time-out. A crashed holder's lock is free by then (promise V1), and the engine goes on
     * cleaning up for as long, or longer where {@link #isBoundToSession} says so.
     *
     * @param request the hold or place in question
     * @return a positive bound
     */
    Duration expiry(LockRequest request);

    /**
     * Whether holds and places live as long as a session of the client, which all that the client sends keeps alive.
     * Then what one acquire has left does not end by itself while others go on, and the engine cleans up until that has
     * succeeded.
     *
     * @return false unless overridden: each hold and each place has an end of its own
     */
    default boolean isBoundToSession() {
        return false;
    }

    /**
     * The shortest lease that makes sense on this store; shorter ones are refused when a lock is made.
     *
     * @return 100 ms unless overridden
     */
    default Duration minimumLease() {
        return Duration.ofMillis(100);
    }

    /**
     * Reads what the store knows of a lock. Changes nothing, creates nothing. Called only with
     * {@link Capability#INSPECT}.
     *
     * @param name the lock's name
     * @param deadline when to give up
     * @return holder and waiters, as far as the store can tell
     * @throws InterruptedException if the thread was interrupted while it waited for the store: outcome unknown
     */
    default LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.INSPECT);
    }

    /**
     * Takes a lock away from whoever holds it. Waiters stay and the next of them is served; the token of the next grant
     * is greater, as always. Called only with {@link Capability#FORCE_RELEASE}, by an inspector, which there is only
     * with {@link Capability#INSPECT}.
     *
     * @param name the lock's name
     * @param deadline when to give up
     * @return the hold that was ended, or empty when nobody held the lock
     * @throws InterruptedException if the thread was interrupted while it waited for the store: outcome unknown
     */
    default Optional<LockStatus.Holder> forceRelease(String name, Deadline deadline) throws InterruptedException {
        throw new UnsupportedOperationException("this backend has no " + Capability.FORCE_RELEASE);
    }

    /**
     * The time that engine and backend share. It is the system's, except where tests move time.
     *
     * @return always the same clock
     */
    default LockClock clock() {
        return LockClock.system();
    }

    /**
     * Ends what this backend owns: connections, threads, timers. What a caller lent stays open and as it was. Called
     * once, after the last hold was released; requests still under way end soon with an exception. Idempotent.
     */
    @Override
    void close();
}
