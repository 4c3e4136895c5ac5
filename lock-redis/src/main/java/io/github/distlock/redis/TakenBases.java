package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The greatest bases that contenders of this client have taken for one name, as {@link GrantedBases} explains. */
final class TakenBases {
    /** The steps of the map guard this. */
    int contenders;

    private final AtomicLong greatestOfAll;
    private final AtomicReference<Taken> taken;

    /**
     * The last grants.
     *
     * @param base the greatest base of a lock or of a writer
     * @param contender the value of the contender that has taken it, or null if the name began with it
     * @param shared the greatest base of a reader or of permits
     */
    private record Taken(long base, @Nullable String contender, long shared) {
        private long greatest() {
            return Math.max(base, shared);
        }
    }

    /**
     * Makes the bases of a name.
     *
     * @param greatestOfAll the greatest base of all names
     */
    TakenBases(AtomicLong greatestOfAll) {
        this.greatestOfAll = greatestOfAll;
        this.taken = new AtomicReference<>(new Taken(greatestOfAll.get(), null, 0));
    }

    /**
     * Takes a grant of a lock or of a writer, unless another contender has taken one whose base is not smaller. Of two
     * threads that take grants at the same time, the one with the smaller base comes first or is refused.
     *
     * @param contender the value of the contender
     * @return whether the grant becomes a hold
     */
    boolean take(long base, String contender) {
        greatestOfAll.accumulateAndGet(base, Math::max);
        Taken last = taken.updateAndGet(
                before -> base > before.greatest() ? new Taken(base, contender, before.shared) : before);
        return last.base == base && contender.equals(last.contender);
    }

    /** Takes a grant of a reader or of permits. */
    void share(long base) {
        greatestOfAll.accumulateAndGet(base, Math::max);
        taken.updateAndGet(before -> new Taken(before.base, before.contender, Math.max(before.shared, base)));
    }

    /** Returns whether another contender has taken a grant of a lock or of a writer whose base is greater. */
    boolean isOvertaken(long base, String contender) {
        Taken last = requireNonNull(taken.get());
        return last.base > base && last.contender != null && !last.contender.equals(contender);
    }

    /** Returns the base that the next grant of a lock or of a writer must exceed. */
    long floor() {
        return requireNonNull(taken.get()).greatest();
    }

    /** Returns the base that the next handoff must exceed, whatever its mode. */
    long handoffFloor() {
        return requireNonNull(taken.get()).base;
    }
}
