package io.github.distlock.redis;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The greatest base that this client has been granted for each lock for which it waits. A handoff message makes a
 * holder only if its base is greater, so that the client's tokens for one lock increase. The later bases of other locks
 * do not matter: if they did, a busy client would need a request for each handoff.
 *
 * <p>A client keeps this only for names with a waiting contender, and forgets the name with the last one. So when the
 * first contender begins to wait, the name starts with the greatest base of the client for any lock.
 *
 * <p><b>No grant is missed.</b> {@link #granted} raises {@link #greatest} first and the name's base then.
 * {@link #enter} adds the name and reads {@code greatest} in one atomic step of the map. If the grant does not find the
 * name, that step comes later, and sees the raised {@code greatest}.
 */
final class GrantedBases {
    private final AtomicLong greatest = new AtomicLong();
    private final Map<String, Waited> names = new ConcurrentHashMap<>();

    /**
     * A name for which contenders wait.
     *
     * @param contenders how many
     * @param base the greatest base that was granted for the name
     */
    private record Waited(int contenders, long base) {}

    /**
     * Begins to keep the greatest base of a name, for one more contender.
     *
     * @param floor the greatest base that the contender's client has been granted for any lock
     */
    void enter(String name, long floor) {
        names.compute(
                name,
                (same, waited) -> waited == null
                        ? new Waited(1, Math.max(floor, greatest.get()))
                        : new Waited(waited.contenders + 1, waited.base));
    }

    /** Ends what {@link #enter} has begun. */
    void leave(String name) {
        names.computeIfPresent(
                name, (same, waited) -> waited.contenders == 1 ? null : new Waited(waited.contenders - 1, waited.base));
    }

    /** Notes a grant of this client. */
    void granted(String name, long base) {
        greatest.accumulateAndGet(base, Math::max);
        names.computeIfPresent(name, (same, waited) -> new Waited(waited.contenders, Math.max(waited.base, base)));
    }

    /** Returns the base that the next handoff of a lock must exceed. A contender of this client waits for it. */
    long floor(String name) {
        Waited waited = names.get(name);
        return waited == null ? greatest.get() : waited.base;
    }
}
