package io.github.distlock;

import io.github.distlock.spi.LockRequest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
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
    private final Engine engine;
    private final Key key;
    private final ReentrantLock mutex = new ReentrantLock();
    private final LinkedHashSet<Acquisition> waiters = new LinkedHashSet<>();
    private final Set<Acquisition> tries = new HashSet<>(0);
    private @Nullable Place place;
    private @Nullable Lease lease;
    private int leases;
    private boolean retired;
    private boolean answered;
    private long answeredAt;

    /** Waiters share a queue when a lease of one suits the other. */
    record Key(String name, LockOptions options) {}

    LocalQueue(Engine engine, Key key) {
        this.engine = engine;
        this.key = key;
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
        mutex.lock();
        try {
            return !retired && (waiter.isSingleTry() ? tries : waiters).add(waiter);
        } finally {
            mutex.unlock();
        }
    }

    /** Whoever has an outcome leaves. */
    void leave(Acquisition waiter) {
        Place orphan = null;
        mutex.lock();
        try {
            if (!tries.remove(waiter)) {
                waiters.remove(waiter);
            }
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
        if (orphan != null) {
            withdraw(orphan);
        }
        wakeHead();
    }

    private @Nullable Place takeUnusedPlace() {
        Place unused = place;
        if (unused == null || unused.asking || !waiters.isEmpty()) {
            return null;
        }
        place = null;
        return unused;
    }

    private void retireIfUnused() {
        if (waiters.isEmpty() && tries.isEmpty() && leases == 0 && place == null) {
            retired = true;
            engine.retire(key, this);
        }
    }

    private void withdraw(Place orphan) {
        engine.keeper().stopHeartbeats(orphan.contender);
        engine.cleanUp().withdraw(orphan.contender, orphan.request);
    }

    void wakeHead() {
        Acquisition head;
        mutex.lock();
        try {
            head = waiters.isEmpty() ? null : waiters.iterator().next();
        } finally {
            mutex.unlock();
        }
        if (head != null) {
            head.wake();
        }
    }

    List<Acquisition> everybody() {
        mutex.lock();
        try {
            List<Acquisition> all = new ArrayList<>(waiters);
            all.addAll(tries);
            return all;
        } finally {
            mutex.unlock();
        }
    }

    /** Whether the store's last answer, since some time, was that the lock is not to be had: a lease of ours says so, too. */
    boolean knowsBusySince(long nanoTime) {
        mutex.lock();
        try {
            return (lease != null && lease.isHeld()) || (answered && answeredAt - nanoTime >= 0);
        } finally {
            mutex.unlock();
        }
    }

    boolean isHeld() {
        mutex.lock();
        try {
            return lease != null && lease.isHeld();
        } finally {
            mutex.unlock();
        }
    }

    boolean isHeldBy(long threadId) {
        mutex.lock();
        try {
            return lease != null && lease.isHeldBy(threadId);
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
            waiter.looksAgainAt = now + Checks.FOREVER;
            Place claimed = waiter.ownPlace;
            if (!waiter.isAlone()) {
                if (waiters.isEmpty() || waiters.iterator().next() != waiter) {
                    return null;
                }
                if (lease != null) {
                    if (lease.isBeingGivenBack()) {
                        return null;
                    }
                    long passableUntil = lease.passableUntil(now);
                    if (passableUntil - now > 0) {
                        waiter.looksAgainAt = passableUntil;
                        return null;
                    }
                }
                claimed = place;
            }
            if (claimed == null) {
                claimed = newPlace(waiter);
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

    private Place newPlace(Acquisition waiter) {
        LockRequest request = LockRequest.exclusive(key.name, key.options.lease(), engine.owner(waiter.threadName()));
        if (!waiter.isAlone()) {
            place = new Place(this, null, engine, request);
            return place;
        }
        Place own = new Place(this, waiter, engine, waiter.isSingleTry() ? request.withoutWaiting() : request);
        waiter.ownPlace = own;
        return own;
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
            orphaned = asker.isAlone() ? asker.hasOutcome() : waiters.isEmpty();
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

    /** The first answer also tells those whose time is over already, and who wait for nothing else. */
    private void noteAnswer(long now) {
        answeredAt = now;
        if (!answered) {
            answered = true;
            waiters.forEach(Acquisition::wake);
        }
    }

    @Nullable
    Throwable lastFailure() {
        mutex.lock();
        try {
            return place == null ? null : place.failure;
        } finally {
            mutex.unlock();
        }
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

    /** Passes a lease without a holder to the first waiter that takes it; false when it is not to be passed. */
    boolean passOn(Lease passed) {
        while (passed.isPassable()) {
            Acquisition next;
            mutex.lock();
            try {
                if (waiters.isEmpty() || lease != passed) {
                    return false;
                }
                next = waiters.iterator().next();
            } finally {
                mutex.unlock();
            }
            Handle offered = passed.offer();
            if (offered == null) {
                return false;
            }
            if (next.settle(offered)) {
                passed.notePassed();
                return true;
            }
            leave(next);
        }
        return false;
    }

    /** A lease has ended, for whatever reason, and the store has been told where there was anything to tell. */
    void ended(Lease over) {
        mutex.lock();
        try {
            if (lease == over) {
                lease = null;
            }
            leases--;
            retireIfUnused();
        } finally {
            mutex.unlock();
        }
        wakeHead();
    }
}
