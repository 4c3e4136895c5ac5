package io.github.distlock.engine;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The acquires in a {@link LocalQueue}, and their queue entries at the store. Waiters, in the order of their arrival,
 * share one entry; fair waiters and single tries have entries of their own. The queue's mutex guards all of this.
 */
final class Waiters {
    private final LinkedHashSet<Acquisition> waiting = new LinkedHashSet<>();
    private final LinkedHashSet<Acquisition> tries = new LinkedHashSet<>(0);
    private final Map<Acquisition, QueueEntry> ownEntries = new HashMap<>(0);
    private @Nullable QueueEntry sharedEntry;
    private volatile int count;

    void add(Acquisition acquisition) {
        if (acquisition.isSingleTry()) {
            tries.add(acquisition);
        } else {
            waiting.add(acquisition);
            count = waiting.size();
        }
    }

    /** Returns the new head if this was the head, else null. */
    @Nullable
    Acquisition remove(Acquisition acquisition) {
        boolean wasHead = head() == acquisition;
        if (!tries.remove(acquisition)) {
            waiting.remove(acquisition);
            count = waiting.size();
        }
        return wasHead ? head() : null;
    }

    @Nullable
    Acquisition head() {
        return waiting.isEmpty() ? null : waiting.iterator().next();
    }

    @Nullable
    Acquisition poll() {
        Acquisition head = head();
        if (head != null) {
            waiting.remove(head);
            count = waiting.size();
        }
        return head;
    }

    /** Returns how many wait; readable without the mutex. */
    int count() {
        return count;
    }

    /** Returns whether there is neither an acquire nor a shared entry. */
    boolean isUnused() {
        return waiting.isEmpty() && tries.isEmpty() && sharedEntry == null;
    }

    List<Acquisition> everybody() {
        return Stream.concat(waiting.stream(), tries.stream()).toList();
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
        if (entry == null || entry.isAsking() || (!left.isAlone() && count > 0)) {
            return null;
        }
        forget(entry, left);
        return entry;
    }
}
