package io.github.distlock.spi;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Objects;

/**
 * How long this client can trust a hold. The engine takes its allowance for drift and its guard off what is stated
 * here. Immutable.
 */
public final class Validity {
    private final Moment from;
    private final Duration length;
    private final Duration renewAfter;

    private Validity(Moment from, Duration length, Duration renewAfter) {
        this.from = requireNonNull(from, "from");
        this.length = requireNonNull(length, "length");
        this.renewAfter = requireNonNull(renewAfter, "renewAfter");
    }

    /**
     * Makes a validity that is renewed after a third of its length.
     *
     * @param from read from {@link LockBackend#clock()} <em>before</em> the request that proves it was sent
     * @param length how long from then the store keeps the hold; positive
     * @return the validity
     */
    public static Validity of(Moment from, Duration length) {
        return new Validity(from, length, Duration.ofNanos(length.toNanos() / 3));
    }

    /**
     * Returns the same validity with another time for its renewal.
     *
     * @param time counted from {@link #from()}; positive, less than the length
     * @return a new validity
     */
    public Validity withRenewAfter(Duration time) {
        return new Validity(from, length, requireNonNull(time, "time"));
    }

    /**
     * Returns where the validity begins.
     *
     * @return read before the request that proves it was sent
     */
    public Moment from() {
        return from;
    }

    /**
     * Returns how long from then the store keeps the hold, whatever happens to this client.
     *
     * @return positive
     */
    public Duration length() {
        return length;
    }

    /**
     * Returns when to renew.
     *
     * @return counted from {@link #from()}
     */
    public Duration renewAfter() {
        return renewAfter;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Validity validity
                && from.equals(validity.from)
                && length.equals(validity.length)
                && renewAfter.equals(validity.renewAfter);
    }

    @Override
    public int hashCode() {
        return Objects.hash(from, length, renewAfter);
    }

    @Override
    public String toString() {
        return length + " from " + from + ", renewed after " + renewAfter;
    }
}
