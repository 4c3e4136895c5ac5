package io.github.distlock.spi;

/**
 * One instant on two clocks: the monotonic clock, which stops while a machine is suspended, and the wall clock, which
 * jumps. A hold has ended as soon as <em>one</em> of them says so.
 *
 * @param nanoTime nanoseconds of {@link LockClock#nanoTime()}
 * @param wallMillis milliseconds since 1970-01-01T00:00Z of {@link LockClock#wallMillis()}
 */
public record Moment(long nanoTime, long wallMillis) {}
