package io.github.distlock.engine;

import io.github.distlock.LockOptions;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * For how long the store must keep a lock after the end of a hold. The client counts what has passed on its monotonic
 * clock, which may run fast by the drift, and the store counts the rest. So the store never keeps the lock too briefly.
 */
final class KeptTime {
    private KeptTime() {}

    /** Returns the rest of the minimum hold, if a hold is released now. The grant came before the hold began. */
    static Duration afterRelease(LockOptions options, long heldNanos, Settings settings) {
        return rest(options.minimumHold().map(Checks::waitNanos).orElse(0L), heldNanos, settings);
    }

    /** Returns what is left of the lock delay whenever it is asked. Its caller has ended the hold as lost. */
    static Supplier<Duration> afterLoss(LockRequest lost, Settings settings, LockClock clock) {
        long delay = lost.lockDelay().toNanos();
        long lostAt = clock.nanoTime();
        return () -> rest(delay, clock.nanoTime() - lostAt, settings);
    }

    private static Duration rest(long time, long passed, Settings settings) {
        return Duration.ofNanos(Math.max(0, time - (long) (passed * (1 - settings.clockDrift()))));
    }
}
