package io.github.distlock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The acquires of one client for one name and one set of terms, first come, first served; and the place and the lease
 * that they share.
 *
 * <h2>Cohort</h2>
 *
 * Only the head talks to the store, on its own thread, through the one {@link Place} of the queue, and only when this
 * client has no lease that will be passed on. A holder that is through passes the lease to the head without a round trip
 * ({@link #passOn}), within bounds; then the store's queue decides. This is lock cohorting (Dice, Marathe, Shavit, PPoPP
 * 2012), with the network in the place of the memory bus. The place stays when an impatient head leaves, and is withdrawn
 * with the last waiter. Fair waiters, and single tries, have places of their own.
 *
 * <h2>Why no wake-up is lost</h2>
 *
 * A waiter sleeps only after {@link #claim} has told it, under the mutex, that it is not its turn. Every change that could
 * make it so is made under the mutex, or is a volatile flag that {@code claim} reads, and is followed by waking the head:
 * a waiter leaves, the lease ends or becomes suspect, an answer arrives after its asker has left, the store signals. A wake
 * that comes between {@code claim} and the sleep makes the sleep return at once.
 *
 * <h2>Why one grant never has two holders</h2>
 *
 * A lease without a holder is in one hand: that of the acquire it was granted to, or of the holder that ended its hold by
 * the one compare-and-set. That hand offers it to one waiter after the other until one takes it; taking is a
 * compare-and-set in the waiter. Else it goes back to the store.
 *
 * <p>A queue that nobody uses is retired and dropped; who meets a retired one makes a new one.
 */
final class LocalQueue {
    /** Wakes are not lost; and if one were, it would cost this. */
    private static final long LONGEST_SLEEP = Duration.ofSeconds(10).toNanos();

    private final Engine engine;
    private final Key key;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Waiters waiters = new Waiters();
    private @Nullable Place place;
    private volatile @Nullable Lease lease;
    private int leases;
    private boolean retired;
    private volatile boolean somebodyLingers;
    private boolean answered;
    private long answeredAt;
    private volatile long notBefore;

    /** Waiters share a queue when a lease of one suits the other. */
    record Key(String name, LockOptions options) {}

    LocalQueue(Engine engine, Key key) {
        this.engine = engine;
        this.key = key;
        this.notBefore = engine.clock().nanoTime();
    }

    String name() {
        return key.name;
    }

    LockOptions options() {
        return key.options;
    }

    // ---- waiters -------------------------------------------------------------------------------------------------

    /** False when the queue is retired. */
    boolean enter(Acquisition waiter) {
        return locked(() -> !retired && waiters.add(waiter));
    }

    /** Whoever has an outcome leaves. */
    void leave(Acquisition waiter) {
        Place orphan = null;
        Acquisition nextHead;
        mutex.lock();
        try {
            nextHead = waiters.remove(waiter);
            Place own = waiter.ownPlace;
            if (own != null && !own.asking) {
                waiter.ownPlace = null;
                orphan = own;
            } else if (own == null) {
                orphan = takeUnusedPlace();
            }
            retireIfUnused();
        } finally {
            mutex.unlock();
        }
        withdraw(orphan);
        wake(nextHead);
    }

    /** Behind one that is passed the lease nobody has reason to look again, so the next head is not woken. */
    private @Nullable Acquisition pollFor(Lease passed) {
        Place orphan;
        Acquisition polled;
        mutex.lock();
        try {
            polled = lease == passed ? waiters.poll() : null;
            orphan = takeUnusedPlace();
        } finally {
            mutex.unlock();
        }
        withdraw(orphan);
        return polled;
    }

    private static void wake(@Nullable Acquisition waiter) {
        if (waiter != null) {
            waiter.wake();
        }
    }

    void wakeHead() {
        if (waiters.count() > 0) {
            wake(locked(waiters::head));
        }
    }

    private @Nullable Place takeUnusedPlace() {
        Place unused = place;
        if (unused == null || unused.asking || waiters.count() > 0) {
            return null;
        }
        place = null;
        return unused;
    }

    private void retireIfUnused() {
        if (waiters.isEmpty() && leases == 0 && place == null) {
            retired = true;
            engine.retire(key, this);
        }
    }

    private void withdraw(@Nullable Place orphan) {
        if (orphan != null) {
            engine.keeper().stopHeartbeats(orphan.contender);
            engine.cleanUp().withdraw(orphan.contender, orphan.request);
        }
    }

    List<Acquisition> everybody() {
        return locked(waiters::everybody);
    }

    /** Whether the store's last answer, since some time, was that the lock is not to be had: a lease of ours says so, too. */
    boolean knowsBusySince(long nanoTime) {
        return hasLease()
                || locked(() -> (answered && answeredAt - nanoTime >= 0) || (place != null && place.saidBusy));
    }

    boolean hasLease() {
        Lease ours = lease;
        return ours != null && ours.isAlive();
    }

    boolean isHeldBy(long threadId) {
        Lease ours = lease;
        return ours != null && ours.isHeldBy(threadId);
    }

    Optional<Throwable> lastFailure() {
        return locked(() -> Optional.ofNullable(place).map(asked -> asked.failure));
    }

    private <T extends @Nullable Object> T locked(Supplier<T> question) {
        mutex.lock();
        try {
            return question.get();
        } finally {
            mutex.unlock();
        }
    }

    // ---- asking --------------------------------------------------------------------------------------------------

    /** The place through which this waiter may ask the store now, or null: then {@code waiter.looksAgainAt} is set. */
    @Nullable
    Place claim(Acquisition waiter, long now) {
        mutex.lock();
        try {
            waiter.looksAgainAt = now + LONGEST_SLEEP;
            Place claimed = waiter.ownPlace;
            if (!waiter.isAlone()) {
                if (waiters.head() != waiter || (lease != null && lease.isWorthWaitingFor())) {
                    return null;
                }
                claimed = place;
            }
            if (claimed == null) {
                claimed = newPlace(waiter, now);
            }
            if (claimed.asking) {
                return null;
            }
            if (!claimed.isDue(now)) {
                waiter.looksAgainAt = claimed.dueAt;
                return null;
            }
            claimed.beginAsking();
            return claimed;
        } finally {
            mutex.unlock();
        }
    }

    private Place newPlace(Acquisition waiter, long now) {
        Place made = new Place(this, waiter, engine, now, notBefore - now > 0 ? notBefore : now);
        if (waiter.isAlone()) {
            waiter.ownPlace = made;
        } else {
            place = made;
        }
        return made;
    }

    /** The store said busy. */
    void answeredBusy(Place asked, Acquisition asker, long now, long nextAt) {
        boolean waits = asked.request.waits();
        if (waits) {
            engine.keeper().startHeartbeats(asked.contender);
        }
        endAsking(asked, asker, !waits, () -> {
            asked.answered(now, nextAt);
            noteAnswer(now);
        });
    }

    /** No answer, or one that proves nothing. */
    void failed(Place asked, Acquisition asker, Throwable cause, long nextAt) {
        endAsking(asked, asker, false, () -> asked.failed(cause, nextAt));
    }

    /** The store refused: whoever asks next asks anew. */
    void refused(Place asked, Acquisition asker) {
        endAsking(asked, asker, true, () -> {});
        withdraw(asked);
    }

    /** An asker that waits no longer leaves the place to those who do, and to nobody when there are none. */
    private void endAsking(Place asked, Acquisition asker, boolean spent, Runnable update) {
        boolean orphaned = false;
        mutex.lock();
        try {
            asked.asking = false;
            update.run();
            orphaned = asker.isAlone() ? asker.hasOutcome() : waiters.count() == 0;
            if (spent || orphaned) {
                forget(asked, asker);
                retireIfUnused();
            }
        } finally {
            mutex.unlock();
        }
        if (orphaned && !spent) {
            withdraw(asked);
        }
        if (asker.hasOutcome()) {
            wakeHead();
        }
    }

    private void forget(Place asked, Acquisition asker) {
        if (place == asked) {
            place = null;
        }
        if (asker.ownPlace == asked) {
            asker.ownPlace = null;
        }
    }

    private void noteAnswer(long now) {
        answered = true;
        answeredAt = now;
        if (somebodyLingers) {
            somebodyLingers = false;
            waiters.everybody().forEach(Acquisition::wake);
        }
    }

    /** For one whose time is over, but who does not know yet whether the lock is busy: the next answer tells. */
    void linger() {
        somebodyLingers = true;
    }

    // ---- leases --------------------------------------------------------------------------------------------------

    /** The store granted: the place is spent. */
    void granted(Place asked, Acquisition asker, Lease won, long now) {
        mutex.lock();
        try {
            asked.asking = false;
            forget(asked, asker);
            if (won.remainingNanos(engine.clock().now()) > 0) {
                noteAnswer(now);
            }
            lease = won;
            leases++;
        } finally {
            mutex.unlock();
        }
        engine.keeper().stopHeartbeats(asked.contender);
        asked.won(won);
    }

    /** What comes too late is no use; asking again at once would be none either. */
    void grantedTooLate(long nextAt) {
        notBefore = nextAt;
    }

    /** Passes a lease without a holder to the first waiter that takes it; false when it is not to be passed. */
    boolean passOn(Lease passed) {
        while (waiters.count() > 0 && passed.isPassable()) {
            Handle offered = passed.offer();
            if (offered == null) {
                return false;
            }
            Acquisition next = pollFor(passed);
            if (next != null && next.settlePassed(offered)) {
                passed.notePassed();
                if (!passed.isWorthWaitingFor()) {
                    wakeHead();
                }
                return true;
            }
            if (!offered.hold().refuse() || next == null) {
                return false;
            }
        }
        return false;
    }

    /** A lease has ended, for whatever reason, and the store has been told where there was anything to tell. */
    void ended(Lease over) {
        wake(locked(() -> {
            if (lease == over) {
                lease = null;
            }
            leases--;
            retireIfUnused();
            return waiters.head();
        }));
    }
}
