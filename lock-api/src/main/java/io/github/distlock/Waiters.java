package io.github.distlock;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Who is in a {@link LocalQueue}: those that wait, in the order of their arrival, and single tries. Belongs to its mutex. */
final class Waiters {
    private final LinkedHashSet<Acquisition> waiting = new LinkedHashSet<>();
    private final Set<Acquisition> tries = new HashSet<>(0);
    private volatile int count;

    boolean add(Acquisition acquisition) {
        if (acquisition.isSingleTry()) {
            return tries.add(acquisition);
        }
        acquisition.enteredBehindOthers = !acquisition.isAlone() && !waiting.isEmpty();
        waiting.add(acquisition);
        count = waiting.size();
        return true;
    }

    /** The new head when this was the head, else null. */
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

    /** How many wait; readable without the mutex. */
    int count() {
        return count;
    }

    boolean isEmpty() {
        return waiting.isEmpty() && tries.isEmpty();
    }

    List<Acquisition> everybody() {
        return Stream.concat(waiting.stream(), tries.stream()).toList();
    }
}
