package io.github.distlock.engine;

import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Members in the order of their arrival, each of which can leave at any time. They are linked to each other. So a
 * member that enters and leaves needs neither a hash code nor another object. Not thread-safe, except for
 * {@link #first}.
 *
 * <p>A member is in one list at most. When an acquire changes from a retired queue to the next, another thread may
 * still remove it from the former list, under that queue's mutex. So a member knows its list, and only this list
 * unlinks it.
 */
final class Arrivals<T extends Arrivals.Member<T>> {
    private volatile @Nullable T first;
    private @Nullable T last;

    /** What can be in a list. The list's mutex guards its fields. */
    abstract static class Member<T extends Member<T>> {
        @Nullable
        Arrivals<T> list;

        @Nullable
        T previous;

        @Nullable
        T next;
    }

    @Nullable
    T first() {
        return first;
    }

    void add(T arrived) {
        T before = last;
        arrived.list = this;
        arrived.previous = before;
        last = arrived;
        if (before == null) {
            first = arrived;
        } else {
            before.next = arrived;
        }
    }

    /** Does nothing if the member is not in this list. */
    void remove(T leaving) {
        if (leaving.list != this) {
            return;
        }
        T before = leaving.previous;
        T after = leaving.next;
        leaving.list = null;
        leaving.previous = null;
        leaving.next = null;
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
    }

    Stream<T> stream() {
        Stream.Builder<T> all = Stream.builder();
        for (T each = first; each != null; each = each.next) {
            all.add(each);
        }
        return all.build();
    }
}
