package io.github.distlock.spi;

/**
 * One place in the contest for a lock, kept over attempts: an owner value that the store has never seen, or a queue
 * node.
 *
 * <p><b>Threads.</b> The engine calls {@link #attempt} and {@link #withdraw} from changing threads but never two of
 * them at once, with a happens-before edge from one call to the next. {@link LockBackend#heartbeat} may name a
 * contender at any time.
 *
 * <p><b>Life.</b> Attempts until one is {@linkplain Attempt.Granted granted}: then the contender is spent and not
 * touched again, and all that is left is the {@link Grant}. Otherwise {@code withdraw} ends it, repeated while it
 * throws.
 */
public interface Contender {

    /**
     * Asks the store once. A first call that finds the lock busy takes a place in the store's queue, if it has one and
     * the request {@linkplain LockRequest#waits() waits}; later calls keep that place. After an unknown outcome the
     * call is repeated: when the store has granted meanwhile, it answers granted, with the full lease counted anew and
     * the same fencing base. A request that was given up may still arrive, between later ones and after a withdrawal.
     *
     * <p>Of a request that does not wait, a busy answer leaves nothing on the store: the contender is dropped without
     * being withdrawn.
     *
     * @param deadline when to give up; there may be less than a millisecond left
     * @return granted, or busy for now
     * @throws RequestRefusedException when asking is pointless; nothing was granted
     * @throws InterruptedException when the thread was interrupted while it waited for the store: outcome unknown. A
     *     backend need not heed interruption
     */
    Attempt attempt(Deadline deadline) throws InterruptedException;

    /**
     * Withdraws. Afterwards nothing of this contender is left on the store: no place, and no hold either, should an
     * attempt with an unknown outcome have won one, or the store have handed the lock over since; and a request of it
     * that arrives later still takes nothing. Then the next waiter is served. Sends nothing where nothing can be left.
     * The identity is never used again.
     *
     * @param deadline when to give up
     * @throws RequestRefusedException when it can never succeed; the engine reports it
     * @throws InterruptedException as for {@link #attempt}
     */
    void withdraw(Deadline deadline) throws InterruptedException;
}
