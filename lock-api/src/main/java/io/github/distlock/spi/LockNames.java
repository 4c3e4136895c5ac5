package io.github.distlock.spi;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A page of the names of locks, as {@link LockBackend#list} reads them. Immutable. */
public final class LockNames {
    private final List<String> names;
    private final Optional<String> next;

    private LockNames(Collection<String> names, Optional<String> next) {
        this.names = List.copyOf(names);
        this.next = next;
    }

    /**
     * Makes a page that others may follow.
     *
     * @param names in any order; may be empty
     * @param next the position of the next page, which only the backend reads
     * @return the page
     */
    public static LockNames page(Collection<String> names, String next) {
        return new LockNames(names, Optional.of(next));
    }

    /**
     * Makes the last page.
     *
     * @param names in any order; may be empty
     * @return the page
     */
    public static LockNames last(Collection<String> names) {
        return new LockNames(names, Optional.empty());
    }

    /**
     * Returns the names on this page.
     *
     * @return an immutable list
     */
    public List<String> names() {
        return names;
    }

    /**
     * Returns where the next page begins.
     *
     * @return empty on the last page
     */
    public Optional<String> next() {
        return next;
    }

    @Override
    public String toString() {
        return names + next.map(position -> ", then " + position).orElse("");
    }
}
