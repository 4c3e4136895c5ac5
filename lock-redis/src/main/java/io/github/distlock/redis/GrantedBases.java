package io.github.distlock.redis;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The greatest base that this client has been granted for each lock for which it has contenders. An exclusive grant
 * becomes a hold only if its base is greater, so that the client's tokens for one lock increase in the order in which
 * its threads take them. A write grant must also exceed the bases of read holds. Readers that are served together take
 * their grants in any order, so read grants are only noted. The later bases of other locks do not matter: if they did,
 * a busy client would need a request for each handoff.
 *
 * <p>Servers mint increasing bases. But a thread may take a reply or a message late: after a failover has lost its
 * grant, and another thread of the client was granted the lock by the new primary.
 *
 * <p>A client keeps a name until the last contender for it is {@linkplain RedisContender#forget forgotten}. So when the
 * first contender enters, the name starts with the greatest base of the client for any lock.
 *
 * <p><b>No grant is missed.</b> Each contender enters before it asks, so the name is there when it takes a grant. A
 * contender that has left before the name was added again has raised {@link #greatest} before.
 */
final class GrantedBases {
    private final AtomicLong greatest = new AtomicLong();
    private final Map<String, Named> names = new ConcurrentHashMap<>();

    /**
     * A name that has contenders.
     *
     * @param contenders how many
     * @param base the greatest base of the exclusive grants for the name
     * @param read the greatest base of the read grants
     */
    private record Named(int contenders, AtomicLong base, AtomicLong read) {}

    /**
     * Begins to keep the greatest base of a name, for one more contender.
     *
     * @param floor the greatest base that the contender's client has been granted for any lock
     */
    void enter(String name, long floor) {
        names.compute(
                name,
                (same, known) -> known == null
                        ? new Named(1, new AtomicLong(Math.max(floor, greatest.get())), new AtomicLong())
                        : new Named(known.contenders + 1, known.base, known.read));
    }

    /** Ends what {@link #enter} has begun. */
    void leave(String name) {
        names.computeIfPresent(
                name,
                (same, known) ->
                        known.contenders == 1 ? null : new Named(known.contenders - 1, known.base, known.read));
    }

    /**
     * Notes the base of an exclusive grant, unless the client has taken one of the name whose base is not smaller. Of
     * two threads that take grants at the same time, the one with the smaller base comes first or is refused.
     *
     * @return whether the grant becomes a hold
     */
    boolean take(String name, long base) {
        greatest.accumulateAndGet(base, Math::max);
        Named known = names.get(name);
        return known == null || (known.read.get() < base && known.base.getAndAccumulate(base, Math::max) < base);
    }

    /** Notes the base of a read grant, which becomes a hold. */
    void takeRead(String name, long base) {
        Named known = names.get(name);
        if (known != null) {
            known.read.accumulateAndGet(base, Math::max);
        }
    }

    /** Returns the base that the next handoff to a reader or of permits must exceed. Such a contender waits. */
    long sharedFloor(String name) {
        Named known = names.get(name);
        return known == null ? greatest.get() : known.base.get();
    }

    /** Returns the base that the next exclusive grant must exceed. A contender of this client asks for the lock. */
    long floor(String name) {
        Named known = names.get(name);
        return known == null ? greatest.get() : Math.max(known.base.get(), known.read.get());
    }
}
