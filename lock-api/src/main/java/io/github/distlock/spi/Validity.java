package io.github.distlock.spi;

import java.time.Duration;
import java.util.Objects;

/**
 * How long a hold is certainly good for, seen from this client. Immutable. The engine takes its allowance for drift and
 * its guard off what is stated here.
 */
public final class Validity {
    private final Moment from;
    private final Duration length;
    private final Duration renewAfter;

    private Validity(Moment from, Duration length, Duration renewAfter) {
        this.from = from;
        this.length = length;
        this.renewAfter = renewAfter;
    }

    /**
     * A validity that is renewed after a third of its length.
     *
     * @param from read from {@link LockBackend#clock()} <em>before</em> the request that proves it was sent
     * @param length how long from then the store keeps the hold, whatever happens to this client; positive
     * @return the validity
     */
    public static Validity of(Moment from, Duration length) {
        return new Validity(
                Objects.requireNonNull(from, "from"), Objects.requireNonNull(length, "length"), length.dividedBy(3));
    }

    /**
     * The same with another time for its renewal.
     *
     * @param renewAfter when the engine should renew, counted from {@link #from()}; positive, less than the length
     * @return a new validity
     */
    public Validity withRenewAfter(Duration renewAfter) {
        return new Validity(from, length, Objects.requireNonNull(renewAfter, "renewAfter"));
    }

    /**
     * When the request that proves it was sent.
     *
     * @return on both clocks
     */
    public Moment from() {
        return from;
    }

    /**
     * How long the store keeps the hold from then.
     *
     * @return the length
     */
    public Duration length() {
        return length;
    }

    /**
     * When to renew, counted from {@link #from()}.
     *
     * @return a third of the length unless set
     */
    public Duration renewAfter() {
        return renewAfter;
    }
}
