package io.github.distlock.engine;

import io.github.distlock.spi.Validity;
import java.time.Duration;

/**
 * The settings of a client. All times are in nanoseconds.
 *
 * @param client its name
 * @param clockDrift by which share of a lease clocks may drift apart
 * @param clockGuard what is taken off each lease in addition
 * @param maxHandoffs how often a lease may be handed off locally
 * @param handoffTime for how long after its grant a lease may be handed off locally
 */
public record Settings(
        String client,
        long requestTimeout,
        long outageTimeout,
        long shutdownTimeout,
        double clockDrift,
        long clockGuard,
        int maxHandoffs,
        long handoffTime,
        boolean recordsAcquireStacks) {

    /**
     * By how much a timed call may exceed its time, so that its last request can be answered. V4 allows 250 ms in all.
     */
    static final long LAST_REQUEST_GRACE = Duration.ofMillis(100).toNanos();

    /**
     * Returns when a hold ends for its holder: {@code length·(1−ρ) − guard} after the request was <em>sent</em>. The
     * store's own count begins later, when the request arrives. So if clocks run within ρ, the store's count ends
     * later.
     */
    Expiry expiry(Validity validity) {
        return Expiry.after(validity.from(), usable(validity.length().toNanos()));
    }

    /** Returns what is left of a lease after the allowance for clocks; zero or less if nothing is. */
    long usable(long lease) {
        return (long) (lease * (1 - clockDrift)) - Math.max(clockGuard, lease / 20);
    }
}
