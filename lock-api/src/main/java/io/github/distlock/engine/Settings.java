package io.github.distlock.engine;

import io.github.distlock.spi.Moment;
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

    /** More than what is lost by calculating with fractions, and by a wall clock that counts milliseconds. */
    static final long ROUNDING = Duration.ofMillis(2).toNanos();

    /**
     * Returns when a hold ends for its holder: {@code length·(1−ρ) − guard} after the request was <em>sent</em>. The
     * store's own count begins later, when the request arrives. So if clocks run within ρ, the store's count ends
     * later.
     */
    Expiry expiry(Validity validity) {
        return expiry(validity.from(), validity.length());
    }

    /** Does the same for what the store keeps for a time from a moment on. */
    Expiry expiry(Moment from, Duration length) {
        return Expiry.after(from, usable(length.toNanos()));
    }

    /** Returns what is left of a lease after the allowance for clocks; zero or less if nothing is. */
    long usable(long lease) {
        return (long) (lease * (1 - clockDrift)) - Math.max(clockGuard, lease / 20);
    }

    /** Returns a lease of which at least this much is {@linkplain #usable usable}, and hardly more. */
    long leaseFor(long usable) {
        double withGuard = (usable + clockGuard) / (1 - clockDrift);
        double withShare = usable / (1 - clockDrift - 1 / 20.0);
        return (long) Math.max(withGuard, withShare) + ROUNDING;
    }
}
