package io.github.distlock;

import io.github.distlock.spi.Validity;
import java.time.Duration;

/** A client's settings, fixed, in the engine's units: nanoseconds. */
record Settings(
        String client,
        long requestTimeout,
        long outageTimeout,
        long shutdownTimeout,
        double clockDrift,
        long clockGuard,
        int maxPasses,
        long maxPassing,
        boolean recordAcquireStacks) {

    /** By how much a timed call may exceed its time for its last request to be answered. V4 allows 250 ms in all. */
    static final long LAST_REQUEST_GRACE = Duration.ofMillis(100).toNanos();

    static Settings of(LockClientBuilder builder) {
        return new Settings(
                builder.name,
                builder.requestTimeout.toNanos(),
                builder.outageTimeout.toNanos(),
                builder.shutdownTimeout.toNanos(),
                builder.clockDrift,
                builder.clockGuard.toNanos(),
                builder.maxPasses,
                builder.maxPassing.toNanos(),
                builder.recordAcquireStacks);
    }

    /**
     * When a hold ends for its holder: {@code length·(1−ρ) − guard} after the request was <em>sent</em>. The store's own
     * count starts later, when the request arrives, so with clocks that run within ρ it always ends later.
     */
    Expiry expiry(Validity validity) {
        return Expiry.after(validity.from(), usable(validity.length().toNanos()));
    }

    /** What is left of a lease after the allowance for clocks; zero or less when nothing is. */
    long usable(long lease) {
        return (long) (lease * (1 - clockDrift)) - Math.max(clockGuard, lease / 20);
    }
}
