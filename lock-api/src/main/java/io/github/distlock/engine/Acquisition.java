package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.AcquireOutcome;
import io.github.distlock.HandoffKind;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockListener;
import io.github.distlock.engine.Outcome.Ended;
import io.github.distlock.engine.Outcome.Failed;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One acquire, blocking or asynchronous: <em>ask → granted, or wait for a wake-up or for time → ask</em>.
 *
 * <p>{@link #advance} does what can be done now, and returns when to call it again at the latest. {@link #wake} makes
 * that sooner. A blocking acquire calls it on the caller's thread, which parks in between. An asynchronous acquire
 * calls it on threads of the engine, which do not park. This is the only difference between the two subclasses.
 *
 * <h2>One outcome</h2>
 *
 * The outcome is set by one compare-and-set. Timeout, interrupt, cancellation, closing, a local handoff and the store's
 * answer compete for it. A loser that brought a hold takes it back. An offered hold can end before it is accepted: then
 * {@link #accept} removes the outcome, and the acquire enters its queue once more. Meanwhile {@code entered} is false,
 * so that no step asks through the queue that it has left. An outcome that is set meanwhile removes the acquire again.
 *
 * <p>A request is never abandoned. The thread that sent it returns with the answer, and cleans up if nobody waits for
 * it any more.
 */
abstract class Acquisition extends Arrivals.Member<Acquisition> implements Handoff.Receiver {
    static final long NO_THREAD = -1;
    private static final long NEVER = Long.MIN_VALUE;

    final LockKey key;
    final Patience patience;
    final Shared shared;
    private final AtomicReference<@Nullable Outcome> outcome = new AtomicReference<>();
    private volatile @Nullable LocalQueue queue;
    /** False while this acquire changes from one entry into a queue to the next. */
    private volatile boolean entered;
    /** The last failure of a request of this acquire. */
    private volatile @Nullable Throwable failure;

    private boolean lingers;
    /** Since when each answer was a grant that was of no use, or {@link #NEVER}. */
    private long uselessSince = NEVER;

    /** What kept this acquire from the lock when it gave up waiting, or empty. */
    private volatile String blocker = "";

    /** What all acquires of a client share. */
    record Shared(
            LocalQueues queues,
            LockClock clock,
            Requests requests,
            Callbacks callbacks,
            DeadlockSearch deadlocks,
            boolean recordsAcquireStacks) {}

    /** Looks for threads that wait for each other. */
    interface DeadlockSearch {
        /**
         * Searches, unless it is too early or not necessary, and reports what it finds. Returns when to search again.
         *
         * @param since when the acquire that asks began to wait
         */
        long search(long since, boolean atOnce);
    }

    Acquisition(LockKey key, Patience patience, Shared shared) {
        this.key = key;
        this.patience = patience;
        this.shared = shared;
    }

    /** Has {@link #advance} called soon. From any thread, without blocking. */
    abstract void wake();

    /** There is an outcome. From any thread, without blocking. */
    abstract void settled();

    /** Returns the thread that will hold the lock, or {@link #NO_THREAD}. */
    abstract long threadId();

    abstract String threadName();

    /** Enters the queue, first of all and after an offered hold has ended too early. */
    void enter() {
        LocalQueue found;
        do {
            found = shared.queues.get(key);
            queue = found;
        } while (!found.enter(this));
        entered = true;
        if (hasOutcome()) {
            found.leave(this); // Settled before the queue knew this acquire.
        }
        Ended refusal = shared.queues.refusal();
        if (refusal != null) {
            settle(refusal);
        }
    }

    private LocalQueue queue() {
        LocalQueue present = queue;
        if (present == null) {
            throw new IllegalStateException("this acquire has not entered its queue");
        }
        return present;
    }

    /** Moves on as far as it goes without waiting; returns when to be called again at the latest, by the nano clock. */
    final long advance() throws InterruptedException {
        long now = shared.clock.nanoTime();
        while (entered && !hasOutcome()) {
            long lookAgainAt = now + LocalQueue.LONGEST_SLEEP;
            if (patience.mayAsk(now) && !queue().isBehindOthers(this)) {
                Answer answer = ask(now);
                if (!(answer instanceof Answer.NotYet notYet)) {
                    now = shared.clock.nanoTime();
                    continue;
                }
                lookAgainAt = notYet.lookAgainAt();
            }
            if (patience.isOver(now) && knowsBusy()) {
                settle(Ended.BUSY);
            } else if (patience.isOverWithGrace(now)) {
                settle(outOfTime());
            } else if (patience.isOver(now) && !lingers) {
                lingers = true;
                queue().linger();
            } else {
                return patience.next(now, lookAgainAt);
            }
        }
        return now + LocalQueue.LONGEST_SLEEP;
    }

    private Answer ask(long now) throws InterruptedException {
        shared.requests.begin();
        try {
            Answer answer = queue().ask(this, now);
            hear(answer);
            return answer;
        } finally {
            shared.requests.end();
        }
    }

    private void hear(Answer answer) {
        if (answer instanceof Answer.NotYet) {
            return;
        }
        patience.noteAnswer();
        if (answer != Answer.Plain.TOO_LATE) {
            uselessSince = NEVER;
        }
        if (answer instanceof Answer.Granted granted) {
            take(granted.lease());
        } else if (answer instanceof Answer.Kept kept) {
            if (take(kept.lease())) {
                kept.lease().event((listener, event) -> listener.handedOff(event, HandoffKind.REACQUIRED));
            }
        } else if (answer instanceof Answer.Joined joined) {
            Hold hold = joined.handle().hold();
            if (settle(new Offered(joined.handle()))) {
                Handoff.noteJoin(hold.lease());
            } else {
                hold.decline();
            }
        } else if (answer instanceof Answer.Refused refused) {
            settle(failed(refused.cause().getMessage(), refused.cause()));
        } else if (answer instanceof Answer.Unavailable unavailable) {
            settle(noAnswer(unavailable.cause()));
        } else if (answer instanceof Answer.Failed failed) {
            failure = failed.cause();
            if (failed.cause() instanceof Error error) {
                settle(new Failed(error));
            } else if (patience.isSingleTry()) {
                settle(noAnswer(failed.cause()));
            }
        } else if (answer == Answer.Plain.TOO_LATE) {
            long now = shared.clock.nanoTime();
            uselessSince = uselessSince == NEVER ? now : uselessSince;
            if (patience.isSingleTry() || patience.isOutage(now, uselessSince)) {
                String minimum = key.options()
                        .minimumValidity()
                        .map(least -> ", with less than its minimum validity of " + least)
                        .orElse("");
                settle(failed("the store granted it too late to be of use" + minimum, null));
            }
        } else if (patience.isSingleTry()) {
            settle(Ended.BUSY); // What the queue knows can change before it is asked again.
        }
    }

    /** Returns whether this acquire was offered the lease. */
    @CanIgnoreReturnValue
    private boolean take(Lease lease) {
        Handle offered;
        try {
            offered = lease.offer();
        } catch (Throwable e) {
            lease.giveBackInBackground();
            throw e;
        }
        if (offered == null) {
            return false;
        }
        boolean taken = settle(new Offered(offered));
        Handoff.parts(lease, queue());
        if (!taken) {
            offered.hold().decline();
        }
        return taken;
    }

    /** Ends this acquire, unless it has ended. A loser that brought a hold takes it back. */
    @CanIgnoreReturnValue
    final boolean settle(Outcome end) {
        noteBlocker(end);
        if (!outcome.compareAndSet(null, end)) {
            return false;
        }
        queue().leave(this);
        settled();
        return true;
    }

    /** The queue knows the blocker only until this acquire leaves it. */
    private void noteBlocker(Outcome end) {
        if ((end == Ended.BUSY && !isSingleTry()) || (end == Ended.INTERRUPTED && knowsBusy())) {
            blocker = queue().blocker(this);
        }
    }

    private LockEvent eventOfEnd() {
        return event(0, shared.clock.nanoTime() - patience.since());
    }

    private LockEvent event(long token, long nanos) {
        return new LockEvent(key.name(), token, Duration.ofNanos(nanos), threadId() == NO_THREAD);
    }

    /** This acquire has ended without a hold. */
    final void noteNotAcquired(AcquireOutcome end) {
        if (shared.callbacks.isListening()) {
            LockEvent ended = eventOfEnd();
            if (end == AcquireOutcome.BUSY && !isSingleTry()) {
                String words = blocker;
                shared.callbacks.event(ended, (listener, event) -> listener.timedOut(event, words));
            }
            shared.callbacks.event(ended, (listener, event) -> listener.notAcquired(event, end));
        }
    }

    /** Runs the hooks on the thread of this acquire, which has got the handle, or none. */
    final void runHooks(@Nullable Handle got, AcquireOutcome end) {
        if (!shared.callbacks.hooks().areNone()) {
            LockEvent event = got == null
                    ? eventOfEnd()
                    : event(got.fencingToken(), got.hold().since() - patience.since());
            shared.callbacks.hooks().afterAcquire(event, end);
        }
    }

    final String blocker() {
        return blocker;
    }

    /** Does the same for a local handoff. The queue has removed this acquire before. */
    @Override
    public final boolean settleHandedOff(Handle handle) {
        if (!outcome.compareAndSet(null, new Offered(handle))) {
            return false;
        }
        settled();
        return true;
    }

    /** Returns whether it waits at present. The listener knows that it does. */
    boolean isWaiting() {
        return false;
    }

    final boolean hasOutcome() {
        return outcome.get() != null;
    }

    final @Nullable Outcome outcome() {
        return outcome.get();
    }

    /** Returns how this acquire has ended. */
    final AcquireOutcome forApplication() {
        Outcome end = outcome.get();
        return end == null ? AcquireOutcome.UNAVAILABLE : end.forApplication();
    }

    final boolean isSingleTry() {
        return patience.isSingleTry();
    }

    /** Whether it has a queue entry of its own at the store. */
    final boolean isAlone() {
        return isSingleTry() || key.options().isFair();
    }

    /** Returns whether the thread waits for itself. One that waits for more permits need not. */
    final boolean isHeldByItsThread() {
        return switch (key.mode().kind()) {
            case EXCLUSIVE, WRITE -> queue().isHeldBy(threadId());
            case READ -> queue().isHeldBy(threadId()) || shared.queues.isWrittenBy(threadId(), key.name());
            case PERMITS -> false;
        };
    }

    private boolean knowsBusy() {
        return queue().knowsBusySince(patience.since());
    }

    final Outcome outOfTime() {
        if (knowsBusy()) {
            return Ended.BUSY;
        }
        Throwable own = failure;
        return noAnswer(own != null ? own : queue().lastFailure().orElse(null));
    }

    /** Takes what was offered. Returns false if it has ended before: then this acquire has entered its queue again. */
    final boolean accept(Handle handle) {
        if (!handle.hold().accept(threadId(), threadName(), shared.recordsAcquireStacks)) {
            patience.forgetAnswer();
            entered = false;
            outcome.set(null);
            enter();
            return false;
        }
        if (shared.callbacks.isListening()) {
            long waited = handle.hold().since() - patience.since();
            shared.callbacks.event(event(handle.fencingToken(), waited), LockListener::acquired);
        }
        return true;
    }

    final void noteWaiting() {
        if (shared.callbacks.isListening()) {
            shared.callbacks.event(event(0, 0), LockListener::waiting);
        }
    }

    /** Settles with what the engine or the backend threw where it should not have. */
    final void fail(Throwable thrown) {
        settle(thrown instanceof Error ? new Failed(thrown) : failed(thrown.getMessage(), thrown));
    }

    /** Returns what the caller gets to see of an outcome without a hold. */
    final Throwable failureOf(Outcome end) {
        if (end instanceof Failed failed) {
            return failed.failure();
        }
        String words = end == Ended.CLOSED
                ? "the client was closed"
                : end == Ended.CHECKPOINT ? "the process is being checkpointed" : "the acquire was given up";
        return failed(words, null).failure();
    }

    private Failed noAnswer(@Nullable Throwable cause) {
        long waited = (shared.clock.nanoTime() - patience.since()) / 1_000_000;
        String words = cause == null
                ? "the store has not answered within " + waited + " ms"
                : "not acquired within " + waited + " ms: " + (cause.getMessage() == null ? cause : cause.getMessage());
        return failed(words, cause);
    }

    private Failed failed(@Nullable String words, @Nullable Throwable cause) {
        return new Failed(new LockException(key.name(), words == null ? String.valueOf(cause) : words, cause));
    }
}
