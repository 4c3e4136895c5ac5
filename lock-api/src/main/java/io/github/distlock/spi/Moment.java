package io.github.distlock.spi;

/**
 * One instant on two clocks: the monotonic clock, which stops while a machine is suspended, and the wall clock, which
 * jumps. A hold has ended as soon as <em>one</em> of them says so.
 *
 * @param nanoTime nanoseconds of {@link LockClock#nanoTime()}
 * @param wallMillis milliseconds since 1970-01-01T00:00Z of {@link LockClock#wallMillis()}
 */
public record Moment(long nanoTime, long wallMillis) {
    /**
     * Adds a time to both clocks.
     *
     * @param nanos may be negative; the wall clock gets whole milliseconds, rounded down
     * @return the moment that the clocks show by then if they do not differ meanwhile
     */
    public Moment plusNanos(long nanos) {
        return new Moment(nanoTime + nanos, wallMillis + Math.floorDiv(nanos, 1_000_000));
    }
}
