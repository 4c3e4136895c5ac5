package io.github.distlock;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One acquire, blocking or asynchronous: <em>ask → granted, or wait for a wake-up or for time → ask</em>.
 *
 * <p>{@link #advance} does what can be done now and says when it wants to be called again at the latest; {@link #wake} makes
 * that sooner. Who calls it, a caller's thread that parks in between or a thread of the engine that does not, is all that
 * distinguishes the two subclasses.
 *
 * <p>The outcome is one compare-and-set: a {@link Handle} (from the store or from a local holder), {@link #BUSY}, or a
 * Throwable. Time-out, interrupt, cancellation, closing, a pass and the store's answer compete for it, and whoever comes too
 * late takes its gift back. A request under way is never abandoned with its place: the thread that sent it comes back with
 * the answer, and clears up when nobody waits for it any more.
 */
abstract class Acquisition {
    /** Ran out of time; the store's last answer was busy. */
    static final Object BUSY = "BUSY";
    /** Outcomes that are no errors of the store; thrown as what they say. */
    static final Object CLOSED = "the client was closed";

    static final Object INTERRUPTED = "interrupted";
    static final Object WITHDRAWN = "the future was completed by somebody else";

    private static final Logger LOG = LoggerFactory.getLogger(DistributedLock.class);

    static final long NO_THREAD = -1;

    private static final long FIRST_PAUSE = Duration.ofMillis(10).toNanos();
    private static final int MOST_DOUBLINGS = 6;

    final Engine engine;
    final LocalQueue queue;
    final Patience patience;
    private final AtomicReference<@Nullable Object> outcome = new AtomicReference<>();
    private boolean lingers;

    /** These belong to the queue's mutex. */
    @Nullable
    Place ownPlace;

    /** Then the first look is for whoever wakes it. */
    boolean enteredBehindOthers;

    long looksAgainAt;

    Acquisition(Engine engine, LocalQueue queue, Patience patience) {
        this.engine = engine;
        this.queue = queue;
        this.patience = patience;
        this.looksAgainAt = patience.since() + Checks.FOREVER;
    }

    /** Calls {@link #advance} soon. From any thread, without blocking. */
    abstract void wake();

    /** There is an outcome. From any thread, without blocking. */
    abstract void settled();

    /** The thread that will have the hold, or {@link #NO_THREAD}. */
    abstract long threadId();

    abstract String threadName();

    /** Moves on as far as it goes without waiting; returns when to be called again at the latest, by the nano clock. */
    final long advance() throws InterruptedException {
        while (!hasOutcome()) {
            long now = engine.clock().nanoTime();
            Place place = patience.hasAsked() && patience.isOver(now) ? null : queue.claim(this, now);
            if (place != null && place.failure != null && patience.isOutage(now, place.answeredAt)) {
                queue.failed(place, this, place.failure, now);
                settle(noAnswer(place.failure));
            } else if (place != null) {
                ask(place, now);
            } else if (patience.isOverWithGrace(now)
                    || (patience.isOver(now) && queue.knowsBusySince(patience.since()))) {
                settle(outcomeOutOfTime());
            } else if (patience.isOver(now) && !lingers) {
                lingers = true;
                queue.linger();
            } else {
                return patience.next(now, looksAgainAt);
            }
        }
        return looksAgainAt;
    }

    private void ask(Place place, long askedAt) throws InterruptedException {
        patience.noteAsked();
        engine.requestsUnderWay().incrementAndGet();
        try {
            answered(place, place.contender.attempt(Deadline.after(patience.forRequest(askedAt), engine.clock())));
        } catch (RequestRefusedException e) {
            queue.refused(place, this);
            settle(failure(e.getMessage(), e));
        } catch (InterruptedException | RuntimeException | Error e) {
            queue.failed(place, this, e, engine.clock().nanoTime() + pause(place.failures));
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            if (isSingleTry() || e instanceof Error) {
                settle(e instanceof Error ? e : noAnswer(e));
            }
        } finally {
            engine.requestsUnderWay().decrementAndGet();
        }
    }

    private void answered(Place place, Attempt answer) {
        long now = engine.clock().nanoTime();
        if (requireNonNull(answer, "the backend's answer") instanceof Attempt.Granted granted) {
            take(place, new Lease(queue, engine, granted.grant(), place.request), now);
        } else if (answer instanceof Attempt.Busy busy) {
            queue.answeredBusy(place, this, now, now + Checks.waitNanos(busy.retryAfter()));
            if (isSingleTry()) {
                settle(BUSY);
            }
        }
    }

    private void take(Place place, Lease lease, long now) {
        queue.granted(place, this, lease, now);
        if (lease.hasExpired()) {
            queue.grantedTooLate(now + pause(MOST_DOUBLINGS));
            if (isSingleTry() || patience.isOutage(now, patience.since())) {
                settle(failure("the store granted it too late to be of use", null));
            }
            return;
        }
        Handle offered = lease.offer();
        if (offered != null && !settle(offered) && offered.hold().refuse() && !queue.passOn(lease)) {
            lease.giveBackInBackground();
        }
    }

    /** Ends this acquire, unless something else has. The loser of a hold has to take it back. */
    @CanIgnoreReturnValue
    final boolean settle(Object end) {
        if (!outcome.compareAndSet(null, end)) {
            return false;
        }
        queue.leave(this);
        settled();
        return true;
    }

    /** The same, by a hold that a local holder passes on, of one that the queue has let go already. */
    final boolean settlePassed(Handle handle) {
        if (!outcome.compareAndSet(null, handle)) {
            return false;
        }
        settled();
        return true;
    }

    final boolean hasOutcome() {
        return outcome.get() != null;
    }

    final @Nullable Object outcome() {
        return outcome.get();
    }

    final boolean isSingleTry() {
        return patience.isSingleTry();
    }

    /** Whether it has a place in the store's queue of its own. */
    final boolean isAlone() {
        return isSingleTry() || queue.options().isFair();
    }

    final Object outcomeOutOfTime() {
        return queue.knowsBusySince(patience.since())
                ? BUSY
                : noAnswer(queue.lastFailure().orElse(null));
    }

    /** Takes what {@link #settle} brought: false when it has ended in between, and the contest has to go on. */
    final boolean accept(Handle handle) {
        if (!handle.hold().accept(threadId(), engine.settings().recordAcquireStacks())) {
            return false;
        }
        long waited = engine.clock().nanoTime() - patience.since();
        LOG.trace("lock \"{}\", token {}: acquired", queue.name(), handle.fencingToken());
        engine.callbacks().event(queue.name(), handle.fencingToken(), waited, LockListener::acquired);
        return true;
    }

    /** What the engine or the backend threw where it should not have. */
    final Object outcomeOf(Throwable failure) {
        return failure instanceof Error ? failure : failure(failure.getMessage(), failure);
    }

    /** An outcome as it is to be thrown. */
    final Throwable thrown(Object end) {
        return end instanceof Throwable failure ? failure : failure(String.valueOf(end), null);
    }

    private LockException noAnswer(@Nullable Throwable cause) {
        String words = cause == null ? "" : ": " + (cause.getMessage() == null ? cause : cause.getMessage());
        long waited = (engine.clock().nanoTime() - patience.since()) / 1_000_000;
        return failure("the store has not answered within " + waited + " ms" + words, cause);
    }

    private LockException failure(@Nullable String words, @Nullable Throwable cause) {
        return new LockException(queue.name(), words == null ? String.valueOf(cause) : words, cause);
    }

    /** Doubles from failure to failure, with jitter, so that clients do not come back in step. */
    private static long pause(int failures) {
        long longest = FIRST_PAUSE << Math.min(failures, MOST_DOUBLINGS);
        return ThreadLocalRandom.current().nextLong(longest / 2, longest + 1);
    }
}
