package io.github.distlock.spi;

import java.util.Optional;

/**
 * One contender for a lock, over all its attempts. Its identity is an owner value that the store has never seen, or a
 * queue node.
 *
 * <p><b>Threads.</b> The engine calls {@link #attempt} and {@link #withdraw} from changing threads, but never two of
 * them at the same time, with a happens-before edge from one call to the next. {@link LockBackend#heartbeat} may name a
 * contender at any time, and {@link #forget} comes from any thread.
 *
 * <p><b>Life.</b> The engine attempts until one attempt is {@linkplain Attempt.Granted granted}. Then the engine uses
 * only the {@link Grant}. Otherwise {@code withdraw} ends the contender, repeated while it throws. In both cases,
 * {@link #forget} is the last call for a contender and its grant.
 */
public interface Contender {

    /**
     * Asks the store once. If the first call finds the lock busy, and the request
     * {@linkplain LockRequest#waits() waits}, the contender takes an entry in the store's queue, if the store has one.
     * Later calls keep the entry. After an unknown outcome the engine repeats the call: if the store has granted the
     * lock meanwhile, it answers granted, with a new full lease and the same fencing base or a greater one. A request
     * that was given up may still arrive, between later requests and after a withdrawal.
     *
     * <p>If the request does not wait, a busy answer leaves nothing on the store. The engine forgets the contender
     * without a withdrawal.
     *
     * @param deadline when to give up; less than a millisecond may be left
     * @return granted, or busy for now
     * @throws RequestRefusedException if asking is pointless; nothing was granted
     * @throws InterruptedException if the thread is interrupted while it waits for the store: the outcome is unknown. A
     *     backend may ignore an interrupt
     */
    Attempt attempt(Deadline deadline) throws InterruptedException;

    /**
     * Removes everything that this contender may have left on the store: its entry, and a hold that nobody got, however
     * it won it. No {@linkplain LockRequest#lockDelay lock delay} follows, also if the lease has ended. A request of
     * this contender that arrives later takes nothing. Then the next waiter is served. Sends nothing if nothing can be
     * left. The identity is never used again.
     *
     * @param deadline when to give up
     * @throws RequestRefusedException if it can never succeed; the engine logs it
     * @throws InterruptedException as for {@link #attempt}
     */
    void withdraw(Deadline deadline) throws InterruptedException;

    /**
     * Describes what keeps this contender from the lock, as far as this client has seen it. The words are for people.
     * They continue a sentence such as "not acquired within 5 s: …". Any thread calls this at any time before
     * {@link #forget}, also during an {@link #attempt}. Sends nothing and does not block.
     *
     * @return the description, or empty if this client has seen nothing
     */
    default Optional<String> blocker() {
        return Optional.empty();
    }

    /**
     * Returns the server that keeps this contender's lock at present. The engine sends the
     * {@linkplain LockBackend#heartbeat heartbeats} of contenders of different servers independently, so that one stuck
     * server delays no other server's waiters. It asks at each heartbeat. Any thread may call this. It does no I/O, and
     * does not wait for any.
     *
     * @return a key with {@code equals}, as {@link Grant#server()} returns for a hold of the lock
     */
    default Object server() {
        return "";
    }

    /**
     * Releases what this client keeps for the contender and for its grant. The engine calls this exactly once, when it
     * needs neither of them any longer: after the release or the loss of the hold, after the withdrawal, and when it
     * gives up either. If the client is closed before, {@link LockBackend#close} may come in its place. Sends nothing
     * and does not block.
     */
    default void forget() {}
}
