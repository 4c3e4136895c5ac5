package io.github.distlock.simulator;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Looks whether a client keeps a sticky lock for too long while no thread of its process uses the lock (V11): for more
 * than a second, or after it has heard that another client wants the lock. Its release must have been sent then. A
 * thread uses a lock from the begin of an acquire until the end of the release.
 */
final class StickyLocks {
    private static final long LONGEST = 1_000_000_000;
    private static final long AT_ONCE = 100_000_000;
    private static final long SLACK = 50_000_000;

    private final World world;
    private final SimulatedProcess process;
    private final Consumer<String> violated;
    private final Map<String, Integer> uses = new HashMap<>();
    private final Map<String, Long> unusedSince = new HashMap<>();
    private final Map<Object, Kept> grants = new HashMap<>();
    /** The contenders whose locks others want, maybe before the answer to the request that was granted. */
    private final Set<Object> wanted = new HashSet<>();

    private boolean isPunctual;

    /** A grant that is not given back yet. */
    private static final class Kept {
        private final String lock;
        private boolean isWanted;

        Kept(String lock, boolean isWanted) {
            this.lock = lock;
            this.isWanted = isWanted;
        }
    }

    /**
     * Begins without a grant.
     *
     * @param isPunctual whether times of the process have bounds
     * @param violated receives what breaks V11
     */
    StickyLocks(World world, SimulatedProcess process, boolean isPunctual, Consumer<String> violated) {
        this.world = world;
        this.process = process;
        this.violated = violated;
        this.isPunctual = isPunctual;
    }

    /** A thread begins to use a lock. */
    void use(String lock) {
        uses.merge(lock, 1, Integer::sum);
        unusedSince.remove(lock);
    }

    /** A thread uses a lock no longer. */
    void unused(String lock) {
        if (uses.merge(lock, -1, Integer::sum) == 0) {
            unusedSince.put(lock, world.nanoTime());
            grants.forEach((contender, kept) -> {
                if (kept.lock.equals(lock)) {
                    look(contender, kept);
                }
            });
        }
    }

    /** The store has granted a sticky lock to a contender. */
    void granted(String lock, Object contender) {
        Kept kept = new Kept(lock, wanted.contains(contender));
        grants.put(contender, kept);
        look(contender, kept);
    }

    /** The client has heard that another one wants what a contender has, or will have once its grant is answered. */
    void wanted(Object contender) {
        wanted.add(contender);
        Kept kept = grants.get(contender);
        if (kept != null && !kept.isWanted) {
            kept.isWanted = true;
            look(contender, kept);
        }
    }

    /** The client gives back what a contender has. */
    void givenBack(Object contender) {
        grants.remove(contender);
    }

    /** Looks when a grant must have been given back, if no thread uses its lock until then. */
    private void look(Object contender, Kept kept) {
        Long since = unusedSince.get(kept.lock);
        if (isPunctual && since != null) {
            look(contender, kept, since, world.nanoTime(), (kept.isWanted ? AT_ONCE : LONGEST) + SLACK);
        }
    }

    private void look(Object contender, Kept kept, long unused, long since, long bound) {
        long due = since + bound + process.stalledSince(since);
        world.at(process.isRunning() ? due : Math.max(due, world.nanoTime() + LONGEST), () -> {
            boolean isKept = grants.get(contender) == kept && unusedSince.getOrDefault(kept.lock, -1L) == unused;
            if (!isPunctual || !isKept || process.hasCrashed()) {
                return;
            }
            if (!process.isRunning() || world.nanoTime() < since + bound + process.stalledSince(since)) {
                look(contender, kept, unused, since, bound);
            } else {
                violated.accept("the client keeps " + kept.lock + " without a holder"
                        + (kept.isWanted ? ", although another client wants it" : " for more than a second"));
            }
        });
    }

    /** The client begins to close, or has dropped a handle, or shares its grants with a copy. Nothing is looked at. */
    void end() {
        isPunctual = false;
    }
}
