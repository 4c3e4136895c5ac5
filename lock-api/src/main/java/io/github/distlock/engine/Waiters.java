package io.github.distlock.engine;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The acquires in a {@link LocalQueue}, and their queue entries at the store. Waiters, in the order of their arrival,
 * share one entry; fair waiters and single tries have entries of their own. The queue's mutex guards all of this.
 */
final class Waiters {
    private final Arrivals<Acquisition> waiting = new Arrivals<>();
    private final Arrivals<Acquisition> tries = new Arrivals<>();
    private final Map<Acquisition, QueueEntry> ownEntries = new HashMap<>(0);
    private @Nullable QueueEntry sharedEntry;

    void add(Acquisition acquisition) {
        arrivals(acquisition).add(acquisition);
    }

    private Arrivals<Acquisition> arrivals(Acquisition acquisition) {
        return acquisition.isSingleTry() ? tries : waiting;
    }

    /** Returns the new head if this was the head, else null. */
    @Nullable
    Acquisition remove(Acquisition acquisition) {
        boolean wasHead = head() == acquisition;
        arrivals(acquisition).remove(acquisition);
        return wasHead ? head() : null;
    }

    /** Returns the first one that waits, or null. Needs no mutex. */
    @Nullable
    Acquisition head() {
        return waiting.first();
    }

    @Nullable
    Acquisition poll() {
        Acquisition head = head();
        if (head != null) {
            waiting.remove(head);
        }
        return head;
    }

    /** Returns whether there is neither an acquire nor a shared entry. */
    boolean isUnused() {
        return head() == null && tries.first() == null && sharedEntry == null;
    }

    List<Acquisition> everybody() {
        return Stream.concat(waiting.stream(), tries.stream()).toList();
    }

    /** Wakes those which wait for the end of a lease. */
    void wakeTries() {
        if (tries.first() != null) {
            tries.stream().forEach(Acquisition::wake);
        }
    }

    // Entries

    @Nullable
    QueueEntry entry(Acquisition acquisition) {
        return acquisition.isAlone() ? ownEntries.get(acquisition) : sharedEntry;
    }

    @Nullable
    QueueEntry sharedEntry() {
        return sharedEntry;
    }

    boolean isSharedEntryBusy() {
        return sharedEntry != null && sharedEntry.isBusy();
    }

    void setEntry(Acquisition acquisition, QueueEntry entry) {
        if (acquisition.isAlone()) {
            ownEntries.put(acquisition, entry);
        } else {
            sharedEntry = entry;
        }
    }

    /** Forgets an entry that is spent, or whose acquire has left. */
    void forget(QueueEntry entry, Acquisition acquisition) {
        if (sharedEntry == entry) {
            sharedEntry = null;
        }
        ownEntries.remove(acquisition, entry);
    }

    /** Takes the entry that nobody uses after this acquire has left, or null. A request under way uses its entry. */
    @Nullable
    QueueEntry takeUnusedEntry(Acquisition left) {
        QueueEntry entry = entry(left);
        if (entry == null || entry.isAsking() || (!left.isAlone() && head() != null)) {
            return null;
        }
        forget(entry, left);
        return entry;
    }
}
