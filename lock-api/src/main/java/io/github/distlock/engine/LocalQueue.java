package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The acquires of one client for one name and one set of options, first come, first served. They share one queue entry
 * at the store, and the leases that the store grants.
 *
 * <h2>Cohort</h2>
 *
 * Only the head asks the store, on its own thread, through the one {@link QueueEntry} of the queue, and only while this
 * client has no lease that the head can expect. On release, the holder hands the lease to the head without a request
 * ({@link #handOff}), within bounds; beyond these, the store's queue decides. This is lock cohorting (Dice, Marathe,
 * Shavit, PPoPP 2012), with the network in the place of the memory bus. The entry stays when an impatient head leaves,
 * and is withdrawn with the last waiter. Fair waiters and single tries have entries of their own.
 *
 * <h2>Why no wake-up is lost</h2>
 *
 * A waiter sleeps only after it has seen that it is not its turn. Either another one is the head, which is volatile. Or
 * {@link #claim} has returned this under the mutex. A change that can make it its turn happens under the mutex, or sets
 * a volatile flag that {@code claim} reads, and then wakes the head. The changes are: a waiter leaves, a lease ends or
 * becomes suspect, an answer arrives after its asker has left, the store signals. A wake between the look and the sleep
 * makes the sleep return at once.
 *
 * <p>A single try sleeps only after it has seen a lease in {@link #leases} that goes back after dormancy. The end of
 * each lease removes it there and then wakes all tries.
 *
 * <h2>Why one grant never has two holders</h2>
 *
 * One acquire or holder at a time controls a lease without a hold: the acquire that the store granted it to, or the
 * holder that ended its hold by the one compare-and-set. It offers the lease to one waiter after the other until one
 * accepts it by a compare-and-set in the waiter. If none does, the lease goes back to the store.
 *
 * <p>Readers join a lease that others of them use ({@link Lease#join}), and all waiters do as soon as one of them is
 * granted a lease ({@link Handoff#parts}). A waiter for permits asks at once, whatever this client holds, and may be
 * handed a released lease meanwhile.
 *
 * <p>A queue that nobody uses is retired and dropped. An acquire that finds a retired queue asks for a new one.
 */
final class LocalQueue implements Lease.Queue, Handoff.Line {
    /** No wake-up is lost. If one were, this would be its cost. */
    static final long LONGEST_SLEEP = Duration.ofSeconds(10).toNanos();

    final LockKey key;
    private final Shared shared;
    private final LocalQueues queues;
    private final LocalRules rules;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Waiters waiters = new Waiters();
    private final Leases leases = new Leases();
    private boolean retired;
    private final LastAnswer lastAnswer = new LastAnswer();
    /** A new entry asks no earlier than this. */
    private volatile long notBefore;

    /** What all queues of a client share. */
    record Shared(LockBackend backend, String client, LeaseKeeper keeper, CleanUp cleanUp, Lease.Shared leases) {
        private LockClock clock() {
            return backend.clock();
        }
    }

    LocalQueue(LockKey key, Shared shared, LocalQueues queues) {
        this.key = key;
        this.shared = shared;
        this.queues = queues;
        this.rules = LocalRules.of(key.mode());
        this.notBefore = shared.clock().nanoTime();
    }

    @Override
    public LockOptions options() {
        return key.options();
    }

    @Override
    public LocalRules rules() {
        return rules;
    }

    // Waiters

    /** Returns false if the queue is retired. */
    boolean enter(Acquisition waiter) {
        mutex.lock();
        try {
            if (!retired) {
                waiters.add(waiter);
            }
            return !retired;
        } finally {
            mutex.unlock();
        }
    }

    /** Removes an acquire that has an outcome. */
    void leave(Acquisition waiter) {
        QueueEntry unused;
        Acquisition nextHead;
        mutex.lock();
        try {
            nextHead = waiters.remove(waiter);
            unused = waiters.takeUnusedEntry(waiter);
            retireIfUnused();
        } finally {
            mutex.unlock();
        }
        end(unused);
        wake(nextHead);
    }

    /** Removes the head, for a local handoff. The caller wakes the next head if that can make progress. */
    @Override
    public @Nullable Acquisition pollFor(Lease handedOff) {
        QueueEntry unused;
        Acquisition polled;
        mutex.lock();
        try {
            polled = leases.contains(handedOff) ? waiters.poll() : null;
            unused = polled == null ? null : waiters.takeUnusedEntry(polled);
        } finally {
            mutex.unlock();
        }
        end(unused);
        return polled;
    }

    @Override
    public @Nullable Acquisition head() {
        return waiters.head();
    }

    /** Returns whether an acquire has to wait until others have left, whatever the store would answer. */
    boolean isBehindOthers(Acquisition waiter) {
        return !waiter.isAlone() && !rules.joins() && head() != waiter;
    }

    boolean stopsJoins() {
        return rules.stopsJoins() && head() != null;
    }

    @Override
    public boolean isJoinStopped() {
        return queues.stopJoins(key.name());
    }

    private static void wake(@Nullable Acquisition waiter) {
        if (waiter != null) {
            waiter.wake();
        }
    }

    @Override
    public void wakeHead() {
        wake(head());
    }

    private void retireIfUnused() {
        if (waiters.isUnused() && leases.isEmpty()) {
            retired = true;
            queues.retire(this);
        }
    }

    private void end(@Nullable QueueEntry entry) {
        if (entry != null) {
            shared.keeper.stopHeartbeats(entry.contender);
            entry.end(shared.cleanUp);
        }
    }

    List<Acquisition> everybody() {
        return locked(waiters::everybody);
    }

    /** Returns whether the lock is busy: by a lease of this client, or by the store's last answer since some time. */
    boolean knowsBusySince(long nanoTime) {
        return isHeldHere() || locked(() -> lastAnswer.cameSince(nanoTime) || waiters.isSharedEntryBusy());
    }

    private boolean isHeldHere() {
        return rules.meansBusy() && leases.isAnyAlive();
    }

    /** Returns what keeps a waiter from a busy lock, for people. Sends nothing. */
    String blocker(Acquisition waiter) {
        QueueEntry entry = isHeldHere() ? null : locked(() -> waiters.entry(waiter));
        return entry == null ? "another caller of this client holds it" : entry.blocker();
    }

    boolean isHeldBy(long threadId) {
        return leases.isAnyHeldBy(threadId);
    }

    Stream<Hold> holds() {
        return leases.holds();
    }

    Optional<Throwable> lastFailure() {
        return locked(() -> Optional.ofNullable(waiters.sharedEntry()).map(QueueEntry::failure));
    }

    private <T extends @Nullable Object> T locked(Supplier<T> question) {
        mutex.lock();
        try {
            return question.get();
        } finally {
            mutex.unlock();
        }
    }

    // Asking the store

    /** Sends a request for this waiter if it is its turn, on the calling thread. */
    Answer ask(Acquisition asker, long now) throws InterruptedException {
        Answer local = leases.localAnswer(asker.patience, now + LONGEST_SLEEP);
        if (local != null) {
            return local;
        }
        if (asker.isSingleTry() && isHeldHere()) {
            return Answer.Plain.BUSY;
        }
        Claim claim = claim(asker, now);
        QueueEntry claimed = claim.entry();
        if (claimed == null) {
            return new Answer.NotYet(claim.lookAgainAt());
        }
        Throwable before = claimed.failure();
        if (before != null && asker.patience.isOutage(now, claimed.silentSince())) {
            failed(claimed, asker, before, now);
            return new Answer.Unavailable(before);
        }
        return send(claimed, asker);
    }

    private Answer send(QueueEntry asked, Acquisition asker) throws InterruptedException {
        asker.patience.noteAsked();
        try {
            return heard(asked, asker, asked.contender.attempt(asker.patience.deadline(shared.clock())));
        } catch (RequestRefusedException e) {
            endAsking(asked, asker, true, () -> {}); // The next asker gets a new entry.
            return new Answer.Refused(e);
        } catch (InterruptedException | RuntimeException | Error e) {
            failed(asked, asker, e, shared.clock().nanoTime() + Backoff.afterFailures(asked.failures()));
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            return new Answer.Failed(e);
        }
    }

    private Answer heard(QueueEntry asked, Acquisition asker, Attempt attempt) {
        long now = shared.clock().nanoTime();
        if (requireNonNull(attempt, "the backend's answer") instanceof Attempt.Granted granted) {
            Lease lease = granted(asked, asker, granted.grant());
            if (!shared.leases.requested().isOfUse(lease, asker.patience)) {
                notBefore = now + Backoff.longest();
                RequestRefusedException refusal = shared.leases.requested().refusal(lease);
                return refusal == null ? Answer.Plain.TOO_LATE : new Answer.Refused(refusal);
            }
            noteAnswer(now);
            return new Answer.Granted(lease);
        }
        answeredBusy(asked, asker, now, now + Checks.waitNanos(((Attempt.Busy) attempt).retryAfter()));
        return Answer.Plain.BUSY;
    }

    Claim claim(Acquisition waiter, long now) {
        mutex.lock();
        try {
            if (!waiter.isAlone() && (waiters.head() != waiter || leases.isAnyWorthWaitingFor())) {
                return Claim.notBefore(now + LONGEST_SLEEP);
            }
            QueueEntry claimed = waiters.entry(waiter);
            if (claimed == null) {
                claimed = newEntry(waiter);
                waiters.setEntry(waiter, claimed);
            }
            if (claimed.isAsking()) {
                return Claim.notBefore(now + LONGEST_SLEEP);
            }
            if (!claimed.isDue(now)) {
                return Claim.notBefore(claimed.dueAt());
            }
            claimed.beginAsking(now);
            return new Claim(claimed, now);
        } finally {
            mutex.unlock();
        }
    }

    private QueueEntry newEntry(Acquisition waiter) {
        LockOwner owner = LockOwner.of(Host.NAME, Host.PROCESS_ID, shared.client, waiter.threadName());
        LockRequest waiting = LockRequest.exclusive(key.name(), key.options().lease(), owner)
                .withMode(key.mode())
                .withMinimumHold(key.options().minimumHold().orElse(Duration.ZERO))
                .withLockDelay(key.options().lockDelay().orElse(Duration.ZERO))
                .withSticky(key.options().isSticky())
                .withBaseAbove(shared.leases.greatestBase()::get);
        return new QueueEntry(
                this,
                waiter.isAlone() ? waiter : null,
                shared.backend,
                waiter.isSingleTry() ? waiting.withoutWaiting() : waiting,
                notBefore);
    }

    private void answeredBusy(QueueEntry asked, Acquisition asker, long now, long nextAt) {
        boolean waits = asked.request.waits();
        if (waits) {
            shared.keeper.startHeartbeats(asked.contender);
        }
        endAsking(asked, asker, !waits, () -> {
            asked.answeredBusy(nextAt);
            noteAnswer(now);
        });
    }

    /** There was no answer, or one that proves nothing. */
    private void failed(QueueEntry asked, Acquisition asker, Throwable cause, long nextAt) {
        endAsking(asked, asker, false, () -> asked.failed(cause, nextAt));
    }

    /**
     * An asker that has an outcome leaves the entry to the waiters. Without waiters, and if the entry is spent, the
     * entry ends.
     */
    private void endAsking(QueueEntry asked, Acquisition asker, boolean spent, Runnable update) {
        boolean ends = spent;
        mutex.lock();
        try {
            asked.endAsking();
            update.run();
            ends |= asker.isAlone() ? asker.hasOutcome() : head() == null;
            if (ends) {
                waiters.forget(asked, asker);
                retireIfUnused();
            }
        } finally {
            mutex.unlock();
        }
        end(ends ? asked : null);
        if (asker.hasOutcome()) {
            wakeHead();
        }
    }

    private void noteAnswer(long now) {
        if (locked(() -> lastAnswer.note(now))) {
            everybody().forEach(Acquisition::wake);
        }
    }

    /** The time of a waiter is over, but it does not know yet whether the lock is busy. The next answer wakes it. */
    void linger() {
        lastAnswer.linger();
    }

    // Leases

    /** Makes a lease of a grant. The entry is spent. Throws if the backend has broken its contract. */
    Lease granted(QueueEntry asked, Acquisition asker, Grant grant) {
        long firstToken = FencingTokens.first(grant.fencingBase());
        Lease won = new Lease(this, asked.won(grant), shared.leases, firstToken);
        Lease added = locked(() -> {
            waiters.forget(asked, asker);
            leases.add(won);
            return won;
        });
        shared.keeper.stopHeartbeats(asked.contender);
        asked.won(added);
        return added;
    }

    @Override
    public boolean handOff(Lease lease, Moment now) {
        return Handoff.all(lease, this, now);
    }

    /** Takes a lease that a downgrade has made. Returns false if the queue is retired. */
    boolean adopt(Lease downgraded) {
        return locked(() -> {
            if (!retired) {
                leases.add(downgraded);
            }
            return !retired;
        });
    }

    @Override
    public void ended(Lease over) {
        wake(locked(() -> {
            leases.remove(over);
            retireIfUnused();
            waiters.wakeTries();
            return waiters.head();
        }));
    }
}
