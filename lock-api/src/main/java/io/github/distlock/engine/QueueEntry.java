package io.github.distlock.engine;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import org.jspecify.annotations.Nullable;

/**
 * A contender of the store, and what the store last answered it. It belongs to one waiter, or to a local queue; then it
 * outlives impatient waiters. The queue's mutex guards its state. Signals come from any thread.
 */
final class QueueEntry implements Signals {
    final LockRequest request;
    final Contender contender;
    private final LocalQueue queue;
    /** The waiter that a signal wakes, or null if a signal wakes the head of the queue. */
    private volatile @Nullable Acquisition owner;

    private volatile boolean woken;
    private volatile boolean suspected;
    private volatile boolean gone;
    private volatile boolean wanted;
    private volatile @Nullable Lease lease;

    private boolean asking;
    private boolean leftAnything;
    private boolean busy;
    private long dueAt;
    private long silentSince;
    private @Nullable Throwable failure;
    private int failures;

    QueueEntry(LocalQueue queue, @Nullable Acquisition owner, LockBackend backend, LockRequest request, long dueAt) {
        this.queue = queue;
        this.owner = owner;
        this.request = request;
        this.dueAt = dueAt;
        this.contender = backend.contend(request, this);
    }

    /** Returns whether a request is under way. Only one is at a time. */
    boolean isAsking() {
        return asking;
    }

    boolean isDue(long now) {
        return woken || dueAt - now <= 0;
    }

    /** Returns when to ask again at the latest. */
    long dueAt() {
        return dueAt;
    }

    /** Returns whether the last answer was busy. */
    boolean isBusy() {
        return busy;
    }

    /** Returns when the first request since the last answer was sent. */
    long silentSince() {
        return silentSince;
    }

    /** Returns the failure of the last request, or null if it was answered. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Returns how many requests have failed since the last answer. */
    int failures() {
        return failures;
    }

    void beginAsking(long now) {
        if (failures == 0) {
            silentSince = now;
        }
        asking = true;
        woken = false;
        suspected = false;
        gone = false;
    }

    void endAsking() {
        asking = false;
    }

    /**
     * Nobody uses this entry any more, and it has won nothing. The store has nothing of it if it was never asked, or
     * has refused each request. Otherwise it may have an entry, or a hold after an unknown outcome.
     */
    void end(CleanUp cleanUp) {
        if (leftAnything) {
            cleanUp.withdraw(contender, request);
        } else {
            contender.forget();
        }
    }

    /** Returns what keeps the contender from the lock, for people. From any thread. */
    String blocker() {
        try {
            return contender.blocker().orElse("another client holds it");
        } catch (Throwable e) {
            // An acquire must end in time, with or without a description.
            return "another client holds it, which cannot be described: " + e;
        }
    }

    WonGrant won(Grant grant) {
        return new WonGrant(grant, contender, request);
    }

    void answeredBusy(long nextAt) {
        busy = true;
        leftAnything = request.waits();
        dueAt = nextAt;
        failure = null;
        failures = 0;
    }

    void failed(Throwable cause, long nextAt) {
        busy = false;
        leftAnything = true;
        failure = cause;
        failures++;
        dueAt = nextAt;
    }

    /**
     * From now on signals are about this lease. Signals that came before it take effect now. The backend keeps this
     * entry as long as the hold, so the entry forgets the acquire, and with it the handle.
     */
    void won(Lease won) {
        lease = won;
        owner = null;
        if (wanted) {
            won.hints.wanted();
        }
        if (gone) {
            won.hints.gone();
        } else if (suspected) {
            won.hints.suspect();
        }
    }

    @Override
    public void wakeUp() {
        woken = true;
        Acquisition waiter = owner;
        if (waiter != null) {
            waiter.wake();
        } else {
            queue.wakeHead();
        }
    }

    @Override
    public void wanted() {
        wanted = true;
        Lease won = lease;
        if (won != null) {
            won.hints.wanted();
        }
    }

    @Override
    public void suspect() {
        suspected = true;
        Lease won = lease;
        if (won != null) {
            won.hints.suspect();
        }
    }

    @Override
    public void gone() {
        gone = true;
        Lease won = lease;
        if (won != null) {
            won.hints.gone();
        }
    }
}
