package io.github.distlock;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import org.jspecify.annotations.Nullable;

/**
 * A place in the store's contest, and what the store last said about it. Of one waiter, or of a local queue: then it
 * outlives impatient waiters. Its fields belong to the queue's mutex, except for the signals, which come from anywhere.
 */
final class Place implements Signals {
    final LockRequest request;
    final Contender contender;
    private final LocalQueue queue;
    private volatile @Nullable Acquisition owner;
    private volatile boolean woken;
    private volatile boolean suspected;
    private volatile boolean gone;
    private volatile @Nullable Lease lease;

    /** One asks at a time. */
    boolean asking;
    /** Whether that was the last that the store said. */
    boolean saidBusy;
    /** When to ask again at the latest. */
    long dueAt;
    /** When the store last answered, or this place was made. */
    long answeredAt;
    /** What the store's client threw since then, and how often. */
    @Nullable
    Throwable failure;

    int failures;

    Place(LocalQueue queue, Acquisition waiter, Engine engine, long now, long dueAt) {
        this.queue = queue;
        this.owner = waiter.isAlone() ? waiter : null;
        LockRequest waiting =
                LockRequest.exclusive(queue.name(), queue.options().lease(), engine.owner(waiter.threadName()));
        this.request = waiter.isSingleTry() ? waiting.withoutWaiting() : waiting;
        this.answeredAt = now;
        this.dueAt = dueAt;
        this.contender = engine.backend().contend(request, this);
    }

    boolean isDue(long now) {
        return woken || dueAt - now <= 0;
    }

    void beginAsking() {
        asking = true;
        woken = false;
        suspected = false;
        gone = false;
    }

    void answered(long now, long nextAt) {
        saidBusy = true;
        answeredAt = now;
        dueAt = nextAt;
        failure = null;
        failures = 0;
    }

    void failed(Throwable cause, long nextAt) {
        saidBusy = false;
        failure = cause;
        failures++;
        dueAt = nextAt;
    }

    /**
     * From now on signals are about this lease; those that came before it are heard now. The backend keeps this place for as
     * long as the hold, so it lets go of the acquire, and with it of the handle.
     */
    void won(Lease lease) {
        this.lease = lease;
        owner = null;
        if (gone) {
            lease.lose(LossReason.GONE);
        } else if (suspected) {
            lease.suspect();
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
        Lease won = lease;
        if (won != null) {
            won.wanted();
        }
    }

    @Override
    public void suspect() {
        suspected = true;
        Lease won = lease;
        if (won != null) {
            won.suspect();
        }
    }

    @Override
    public void gone() {
        gone = true;
        Lease won = lease;
        if (won != null) {
            won.lose(LossReason.GONE);
        }
    }
}
