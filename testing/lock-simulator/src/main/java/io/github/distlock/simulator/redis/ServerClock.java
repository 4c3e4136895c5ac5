package io.github.distlock.simulator.redis;

import java.util.function.LongSupplier;

/** The wall clock of a server's machine. It may drift, and somebody may set it. */
final class ServerClock {
    private static final long EPOCH_MICROS = 1_800_000_000_000_000L;

    private final LongSupplier trueNanos;
    private final double rate;
    private long offsetMicros;

    /**
     * Makes a clock.
     *
     * @param trueNanos the true time since the simulation began
     * @param rate seconds of this clock in a true second
     */
    ServerClock(LongSupplier trueNanos, double rate) {
        this.trueNanos = trueNanos;
        this.rate = rate;
    }

    /** Returns microseconds since 1970. */
    long micros() {
        return EPOCH_MICROS + offsetMicros + (long) (trueNanos.getAsLong() * rate / 1_000);
    }

    /** Sets the clock forward, or back by a negative number. */
    void step(long byMicros) {
        offsetMicros += byMicros;
    }

    /** Undoes steps back, which delay an expiry. Otherwise keys of an earlier time would seem to stay. */
    void correct() {
        offsetMicros = Math.max(0, offsetMicros);
    }
}
