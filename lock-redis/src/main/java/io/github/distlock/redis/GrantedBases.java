package io.github.distlock.redis;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The greatest bases that this client has been granted for each lock for which it has contenders. A grant of a lock or
 * of a writer becomes a hold only if its base is greater than those of all grants that other contenders of the client
 * have taken. So the client's tokens for one lock increase in the order in which its threads take them. The later bases
 * of other locks do not matter: if they did, a busy client would need a request for each handoff.
 *
 * <p>Servers mint increasing bases. But a thread may take a reply or a message late: a failover has lost its grant, and
 * the new primary has granted the lock to another contender of the client. A quorum needs no comparison: while a grant
 * is valid, its votes keep all others from the lock.
 *
 * <p><b>A repeated grant</b> has the same base. If its reply was lost, the contender asks again, and may have taken the
 * grant before. So a contender's own grants do not count against it.
 *
 * <p><b>Readers and permits.</b> Several contenders are served together, and take their grants in any order. So these
 * grants are not compared with each other. But a writer's base must be greater than those of readers, too.
 *
 * <p><b>No grant is missed.</b> A contender enters before it asks, and leaves when it is forgotten. The client keeps a
 * name until the last contender leaves. So each later grant of another contender finds the name, and so does an earlier
 * one whose contender is still there. All others have raised {@link #greatest}, with which a name starts, before they
 * left. {@link #enter} reads it in the atomic step of the map that adds the name.
 */
final class GrantedBases {
    private final AtomicLong greatest = new AtomicLong();
    final Map<String, TakenBases> names = new ConcurrentHashMap<>();

    /** Adds a contender of a name. Returns the bases of the name, until the contender {@linkplain #leave leaves}. */
    TakenBases enter(String name) {
        return names.compute(name, (same, known) -> {
            TakenBases bases = known == null ? new TakenBases(greatest) : known;
            bases.contenders++;
            return bases;
        });
    }

    /** Ends what {@link #enter} has begun. */
    void leave(String name) {
        names.computeIfPresent(name, (same, known) -> --known.contenders == 0 ? null : known);
    }
}
