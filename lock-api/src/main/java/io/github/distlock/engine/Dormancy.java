package io.github.distlock.engine;

import io.github.distlock.LockOptions;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The time between two holders for which a sticky lease stays with its client. Meanwhile it is <em>dormant</em>: no
 * acquire and no holder controls it. A reacquire is a local handoff. Local handoffs have bounds for fairness to other
 * clients. The bounds are wider for a sticky lease, but no handoff follows after another client wants the lease.
 *
 * <p><b>One successor.</b> The holder that has released begins the dormancy. Exactly one thread ends it, by a
 * compare-and-set, and controls the lease from then on. This thread is an acquire that takes the lease, or it gives the
 * lease back. It gives the lease back if another client wants it, if a local waiter has come, or if a second has
 * passed. Giving it back is always safe.
 *
 * <p><b>No acquire asks ahead of the release.</b> The last holder has released the lock. So an acquire of the same
 * client must not find it busy because the lease is still on its way back. An acquire that ends the dormancy and must
 * not use the lease sends the release itself, and then asks. Otherwise a thread of the engine sends the release. It
 * ends the dormancy only when it begins, so an acquire does not wait for threads that hang. The same compare-and-set
 * says that the lease goes back. Until the release is answered or has failed, the lease stays in its queue, whose
 * acquires wait for that. The request timeout bounds each release, and so does the time of the acquire that sends it.
 *
 * <p><b>No reason to end it is missed.</b> The releasing holder begins the dormancy and then looks for waiters and for
 * signals. A waiter enters its queue and then looks for a dormant lease. A signal is stored before it ends the
 * dormancy. All these fields are volatile, so at least one of the two sides sees the other. The keeper looks at each
 * lease every second, and plans its next look for the end of a dormancy. So a release schedules nothing. The loss of a
 * dormant lease and the end of its client end the lease, as they end a lease with a hold.
 */
final class Dormancy {
    private static final long LONGEST = Duration.ofSeconds(1).toNanos();
    /** Bounds for how long other clients find a sticky lease busy if their messages are lost. */
    private static final long HANDOFF_TIME = Duration.ofSeconds(10).toNanos();

    private final Kept lease;
    private final Line line;
    private final StoreHints hints;
    private final WonGrant won;
    private final Releases releases;
    private final LockClock clock;
    private final boolean sticky;
    private final AtomicReference<State> state = new AtomicReference<>(State.USED);
    /** Whether a thread of the engine has been told to end the dormancy. */
    private final AtomicBoolean ending = new AtomicBoolean();

    private volatile long since;

    private enum State {
        USED,
        DORMANT,
        GOES_BACK
    }

    /** The lease. */
    interface Kept {
        boolean mayBeHandedOff(Moment now);

        /** Ends the lease for a release by the caller. Returns false if it had ended. */
        boolean endAsGivenBack();

        void wasGivenBack();
    }

    /** The waiters that may use the lease. */
    interface Line {
        LockOptions options();

        /** Returns the first one, or null. */
        @Nullable
        Object head();

        void wakeHead();
    }

    Dormancy(Kept lease, Line line, StoreHints hints, WonGrant won, Releases releases, LockClock clock) {
        this.lease = lease;
        this.line = line;
        this.hints = hints;
        this.won = won;
        this.releases = releases;
        this.clock = clock;
        this.sticky = line.options().isSticky() && won.grant().hearsOthers();
    }

    /** Returns whether the lease may become dormant. */
    boolean isPossible() {
        return sticky;
    }

    boolean isNow() {
        return state.get() == State.DORMANT;
    }

    /** Returns whether the lease was dormant and its release is under way, or will be at once. */
    boolean goesBack() {
        return state.get() == State.GOES_BACK;
    }

    int maxHandoffs(Settings settings) {
        return sticky ? FencingTokens.MAX_HANDOFFS : settings.maxHandoffs();
    }

    long handoffTime(Settings settings) {
        return sticky ? HANDOFF_TIME : settings.handoffTime();
    }

    /** Returns whether another client has asked for a sticky lease, or may have asked. */
    boolean mustGoBack() {
        return sticky && (hints.isWanted() || !won.grant().hearsOthers());
    }

    /** Keeps a lease whose holder has released it. Returns false if it must go back to the store. */
    boolean begin(Moment now) {
        if (!sticky || !lease.mayBeHandedOff(now)) {
            return false;
        }
        since = now.nanoTime();
        state.set(State.DORMANT);
        boolean stays = line.head() == null && !hints.isWanted();
        return stays || !end(State.USED);
    }

    /** Returns whether the caller has ended the dormancy, and so controls the lease. */
    private boolean end(State next) {
        return state.compareAndSet(State.DORMANT, next);
    }

    /**
     * Returns whether an acquire may offer the lease. Gives it back, within the time of the acquire, if it was dormant
     * and must not be used again.
     */
    boolean endForAcquire(Patience patience) {
        if (!isNow()) {
            return false;
        }
        boolean usable = lease.mayBeHandedOff(clock.now());
        if (!end(usable ? State.USED : State.GOES_BACK)) {
            return false;
        }
        if (!usable) {
            giveBack(patience.deadline(clock));
        }
        return usable;
    }

    /** Gives back a lease that has no holder, and waits for the store until then. */
    void giveBack(Deadline deadline) {
        if (lease.endAsGivenBack()) {
            try {
                releases.release(won, deadline);
            } finally {
                lease.wasGivenBack();
            }
        }
    }

    private void giveBackInBackground() {
        if (isNow() && ending.compareAndSet(false, true)) {
            releases.executeUnlessClosed(() -> {
                ending.set(false);
                if (end(State.GOES_BACK)) {
                    giveBack(releases.deadline());
                }
            });
        }
    }

    /** Notes that another client wants the lease. If the lease has a holder, no local handoff follows. */
    void wanted() {
        if (sticky) {
            giveBackInBackground();
            line.wakeHead();
        }
    }

    /** Gives a lease back that has been dormant for a second. Returns when to look again at the latest. */
    long endIfOver(long now) {
        long over = since + LONGEST;
        if (over - now <= 0) {
            giveBackInBackground();
            return now + LONGEST;
        }
        return isNow() ? over : now + LONGEST;
    }
}
