package io.github.distlock.engine;

import io.github.distlock.LossReason;
import io.github.distlock.spi.Moment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The holds of one {@link Lease} that have not ended, and the number of its users: each hold, each offer of a hold, and
 * a thread that controls a lease without a hold. The number is zero once the last user has left. Then nobody joins any
 * more, and the thread that left last decides what becomes of the lease.
 */
final class Holds {
    private final List<Hold> open = new CopyOnWriteArrayList<>();
    private final AtomicInteger users = new AtomicInteger(1);
    /** The hold that began with the grant. After a downgrade no hold has, and this is another object. */
    private volatile @Nullable Object first;

    /** Whether an acquire may have accepted one of them. */
    private volatile boolean held;

    /** A hold is about to be accepted. */
    void noteHeld() {
        held = true;
    }

    /** Returns whether an acquire may have accepted a hold. */
    boolean wereHeld() {
        return held;
    }

    /** Adds a user. Returns false if the last one has left. */
    boolean enter() {
        int before = users.get();
        while (before > 0 && !users.compareAndSet(before, before + 1)) {
            before = users.get();
        }
        return before > 0;
    }

    /** Removes a user. Returns true for the last one. */
    boolean leave() {
        return users.decrementAndGet() == 0;
    }

    void add(Hold hold) {
        if (first == null) {
            first = hold;
        }
        open.add(hold);
    }

    /** Returns whether no other hold had the grant before this one. */
    boolean isFirst(Hold hold) {
        return first == hold;
    }

    /** A writer had the grant before the first of these holds. */
    void followWriter() {
        first = this;
    }

    void remove(Hold hold) {
        open.remove(hold);
    }

    boolean isAnyOf(long threadId) {
        for (Hold hold : open) {
            if (hold.isOf(threadId)) {
                return true;
            }
        }
        return false;
    }

    Stream<Hold> stream() {
        return open.stream();
    }

    /** Returns the first limit of a hold on the monotonic clock, or null. */
    @Nullable
    Expiry limit() {
        Expiry first = null;
        for (Hold hold : open) {
            Expiry limit = hold.limits().first();
            if (limit != null && (first == null || limit.isBefore(first))) {
                first = limit;
            }
        }
        return first;
    }

    /** Ends the holds whose limit is over. Returns how the last user was lost, or null if users are left. */
    @Nullable
    LossReason loseThoseOverLimit(Moment now) {
        for (Hold hold : open) {
            LossReason reason = hold.limits().reason(now);
            if (hold.isOverLimit(now) && hold.lose(reason) && leave()) {
                return reason;
            }
        }
        return null;
    }

    /** Warns the holders that have asked for it. Returns the earlier one of a nano time and the next warning. */
    long warn(long nanoTime) {
        long first = nanoTime;
        for (Hold hold : open) {
            Handle handle = hold.get();
            first = handle == null ? first : handle.warn(first);
        }
        return first;
    }

    void loseAll(LossReason reason) {
        open.forEach(hold -> hold.lose(reason));
    }
}
