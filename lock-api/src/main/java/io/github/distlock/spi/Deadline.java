package io.github.distlock.spi;

import java.time.Duration;
import java.util.Objects;

/** The time by which a request must have ended, on the monotonic clock. Immutable. */
public final class Deadline {
    private final LockClock clock;
    private final long nanoTime;

    private Deadline(LockClock clock, long nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /**
     * Makes a deadline.
     *
     * @param time from now; negative counts as zero
     * @param clock the backend's
     * @return the deadline
     */
    public static Deadline after(Duration time, LockClock clock) {
        Objects.requireNonNull(clock, "clock");
        return new Deadline(clock, clock.nanoTime() + Math.max(0, time.toNanos()));
    }

    /**
     * Returns what is left.
     *
     * @return nanoseconds; zero once the deadline has passed
     */
    public long remainingNanos() {
        return Math.max(0, nanoTime - clock.nanoTime());
    }

    /**
     * Returns what is left, for clients that count in milliseconds and take 0 as no limit.
     *
     * @return milliseconds, rounded up, from 1 to {@link Integer#MAX_VALUE}
     */
    public int remainingMillis() {
        return (int) Math.min(Integer.MAX_VALUE, Math.max(1, (remainingNanos() + 999_999) / 1_000_000));
    }

    /**
     * Returns whether nothing is left.
     *
     * @return true from the deadline on
     */
    public boolean hasPassed() {
        return remainingNanos() == 0;
    }

    /**
     * Returns the deadline as a time.
     *
     * @return on the scale of {@link LockClock#nanoTime()}
     */
    public long nanoTime() {
        return nanoTime;
    }

    @Override
    public String toString() {
        return remainingMillis() + " ms left";
    }
}
