package io.github.distlock.view;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The futures to cancel if a hold is lost. One listener of the hold cancels all of them.
 *
 * <h2>Why each future is canceled once</h2>
 *
 * {@link #add} adds the future and then asks whether the hold is still held. A loss ends the hold before its listeners
 * run, and the listener reads the set. So at least one of the two sees the other. Whichever removes the future from the
 * set cancels it.
 *
 * <h2>Why few futures that are done are kept</h2>
 *
 * When the set has doubled since the last look, {@code add} removes those which are done. So the set has at most twice
 * as many futures as are under way, or {@value #FEW}. A dependent stage of each {@code CompletableFuture} could remove
 * it sooner. But it would stay with a future that outlives many holds, one for each of them.
 *
 * <p>Futures are code of the application. No mutex is held while one is called.
 */
public final class Cancellations {
    private static final int FEW = 16;

    private final LockHandle held;
    private final Set<Entry> futures = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean listening = new AtomicBoolean();
    /** Two threads that look at the same time may both set it, which does no harm. */
    private volatile int lookAt = FEW;

    /** One of several handles of a hold. */
    interface Part {
        /** Returns whether it was released while the hold was held. */
        boolean hasLeft();
    }

    /** A future, which may define what equals it, and the handle at which it was registered. */
    private record Entry(Future<?> future, @Nullable Part part) {
        boolean isOver() {
            return (part != null && part.hasLeft()) || future.isDone();
        }

        void cancel() {
            if (!isOver()) {
                future.cancel(true);
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Entry that && that.future == future && that.part == part;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(future);
        }
    }

    private Cancellations(LockHandle held) {
        this.held = held;
    }

    /**
     * Adds a future to those of a hold.
     *
     * @param known what this method has returned before for this hold, or null. If two threads begin at the same time,
     *     the caller may keep either result: the other one is a listener of the hold, too.
     */
    public static Cancellations with(@Nullable Cancellations known, LockHandle held, Future<?> future) {
        return with(known, held, future, null);
    }

    /** Does the same for a handle that may be released before the hold. */
    static Cancellations with(@Nullable Cancellations known, LockHandle held, Future<?> future, @Nullable Part part) {
        Entry entry = new Entry(requireNonNull(future, "future"), part);
        Cancellations cancellations = known == null ? new Cancellations(held) : known;
        if (!entry.isOver()) {
            cancellations.add(entry);
        }
        return cancellations;
    }

    private void add(Entry entry) {
        if (futures.size() >= lookAt) {
            futures.removeIf(Entry::isOver);
            lookAt = Math.max(FEW, 2 * futures.size());
        }
        futures.add(entry);
        if (listening.compareAndSet(false, true) || !held.isHeld()) {
            held.onLost(loss -> cancelAll());
        }
    }

    private void cancelAll() {
        futures.forEach(this::cancel);
    }

    /** Each future gets a callback of its own, because its {@code cancel} may block or throw. */
    private void cancel(Entry entry) {
        if (futures.remove(entry)) {
            held.onLost(loss -> entry.cancel());
        }
    }
}
