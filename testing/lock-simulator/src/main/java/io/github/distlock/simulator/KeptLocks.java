package io.github.distlock.simulator;

import java.util.HashMap;
import java.util.Map;

/**
 * Until when released locks with a minimum hold are granted to nobody, in true time. The minimum counts from the begin
 * of the acquire, which is before the grant, so this asks for less than S13 promises if the acquire has waited.
 */
final class KeptLocks {
    /** What the clocks of client and server may drift, and what they round. */
    private static final double SHARE = 0.98;

    private static final long ROUNDED_NANOS = 10_000_000;

    private final Map<String, Long> until = new HashMap<>();

    /** A lock was released. */
    void released(String lock, long acquiredSince, long minimumNanos) {
        if (minimumNanos > 0) {
            until.merge(lock, acquiredSince + (long) (minimumNanos * SHARE) - ROUNDED_NANOS, Math::max);
        }
    }

    /** {@return for how long a lock should still be kept at a time, or at most 0} */
    long missing(String lock, long now) {
        return until.getOrDefault(lock, now) - now;
    }
}
