package io.github.distlock.simulator;

import java.util.HashMap;
import java.util.Map;

/**
 * Until when locks are granted to nobody, in true time: released ones with a minimum hold (S13), and lost ones with a
 * lock delay (S15). The minimum counts from the begin of the acquire, which is before the grant, so this asks for less
 * than S13 promises if the acquire has waited. The delay counts from the last time at which the hold was seen.
 */
final class KeptLocks {
    /** What the clocks of client and server may drift, and what they round. */
    private static final double SHARE = 0.98;

    private static final long ROUNDED_NANOS = 10_000_000;

    private final Map<String, Long> until = new HashMap<>();
    private final Map<String, Delayed> delayed = new HashMap<>();

    private record Delayed(long hold, long until) {}

    /** A lock was released. */
    void released(String lock, long acquiredSince, long minimumNanos) {
        if (minimumNanos > 0) {
            until.merge(lock, after(acquiredSince, minimumNanos), Math::max);
        }
    }

    /** A hold of a lock was seen. If it is lost, its delay begins then at the earliest. */
    void held(String lock, long hold, long at, long delayNanos) {
        if (delayNanos > 0) {
            delayed.put(lock, new Delayed(hold, after(at, delayNanos)));
        }
    }

    /** The release of a hold begins, so it may have no delay. */
    void release(String lock, long hold) {
        delayed.computeIfPresent(lock, (any, last) -> last.hold == hold ? null : last);
    }

    private static long after(long begin, long nanos) {
        return begin + (long) (nanos * SHARE) - ROUNDED_NANOS;
    }

    /** {@return for how long the delay of a lost lock should still last at a time, or at most 0} */
    long missingDelay(String lock, long now) {
        Delayed last = delayed.get(lock);
        return last == null ? 0 : last.until - now;
    }

    /** {@return for how long a lock should still be kept at a time, or at most 0} */
    long missing(String lock, long now) {
        return until.getOrDefault(lock, now) - now;
    }
}
