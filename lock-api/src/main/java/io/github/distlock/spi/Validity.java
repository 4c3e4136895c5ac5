package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How long a hold is certainly good for, seen from this client. The engine takes its allowance for drift and its guard off
 * what is stated here. Made by {@link #of}; components may be added.
 *
 * @param from read from {@link LockBackend#clock()} <em>before</em> the request that proves it was sent
 * @param length how long from then the store keeps the hold, whatever happens to this client; positive
 * @param renewAfter when to renew, counted from {@code from}
 */
public record Validity(Moment from, Duration length, Duration renewAfter) {
    /**
     * A validity that is renewed after a third of its length.
     *
     * @param from read from {@link LockBackend#clock()} <em>before</em> the request that proves it was sent
     * @param length how long from then the store keeps the hold; positive
     * @return the validity
     */
    public static Validity of(Moment from, Duration length) {
        return new Validity(requireNonNull(from, "from"), length, Duration.ofNanos(length.toNanos() / 3));
    }

    /**
     * The same with another time for its renewal.
     *
     * @param renewAfter counted from {@code from}; positive, less than the length
     * @return a new validity
     */
    public Validity withRenewAfter(Duration renewAfter) {
        return new Validity(from, length, requireNonNull(renewAfter, "renewAfter"));
    }
}
