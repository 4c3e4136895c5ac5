package io.github.distlock.simulator;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Looks whether the tokens that a client gives to its own users for one lock rise (S3). They do even if the store has
 * lost its data, because a client takes no grant below one that it has taken. Two threads may take grants in one order
 * and return them in the other one. So a greater token counts only if a user had it before this hold was decided on.
 */
final class ClientTokens {
    private static final int HANDOFF_BITS = 8;
    private static final int HANDOFFS = (1 << HANDOFF_BITS) - 1;

    private final Map<Base, Long> decidedAt = new HashMap<>();
    private final Map<Lock, TreeMap<Long, Long>> seenAt = new HashMap<>();

    private record Lock(long process, String name) {}

    private record Base(Lock lock, long base) {}

    /** Returns the fencing base of a token. */
    static long base(long token) {
        return token >> HANDOFF_BITS;
    }

    /** Returns how many local handoffs came before the hold of a token, since its grant. */
    static long handoffs(long token) {
        return token & HANDOFFS;
    }

    /**
     * Notes that a process goes on with a hold of a base: with the first one, for which the store has sent an answer,
     * or with a local handoff, before which a release has begun.
     *
     * @param at a time before the client decided on it
     */
    void decided(long process, String lock, long base, long at) {
        decidedAt.merge(new Base(new Lock(process, lock), base), at, Math::max);
    }

    /** Notes that the release of an exclusive hold begins, so that a local handoff may follow. */
    void release(long process, String lock, long token, long now) {
        decided(process, lock, base(token), now);
    }

    /** Notes that a user has got an exclusive hold. Returns whether its token is too small. */
    boolean granted(long process, String name, long token, long now) {
        Lock lock = new Lock(process, name);
        long base = base(token);
        TreeMap<Long, Long> seen = seenAt.computeIfAbsent(lock, any -> new TreeMap<>());
        long decided = decidedAt.getOrDefault(new Base(lock, base), Long.MIN_VALUE);
        boolean isTooSmall =
                seen.tailMap(base, false).values().stream().anyMatch(greaterSeenAt -> greaterSeenAt < decided);
        seen.putIfAbsent(base, now);
        return isTooSmall;
    }
}
