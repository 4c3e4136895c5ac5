package io.github.distlock.zookeeper;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The servers' {@code tickTime}, as far as this client knows it: as the application has set it, as a {@link TickProbe}
 * has learned it, or unknown. Thread-safe.
 */
final class ServerTick {
    private final boolean isSet;
    private volatile @Nullable Duration known;

    /**
     * Makes a tick.
     *
     * @param set what the application has set, or null
     */
    ServerTick(@Nullable Duration set) {
        this.isSet = set != null;
        this.known = set;
    }

    /** Returns whether the application has set the tick, so that there is nothing to learn. */
    boolean isSet() {
        return isSet;
    }

    boolean isKnown() {
        return known != null;
    }

    /** Notes what the servers' limits tell, or null if they tell nothing. */
    void learned(@Nullable Duration tick) {
        if (!isSet) {
            known = tick;
        }
    }

    /**
     * Returns the tick, at most half of the session timeout. A server's shortest session is two ticks, unless its
     * configuration allows shorter ones.
     */
    Duration within(Duration timeout) {
        Duration half = part(timeout, 1, 2);
        Duration tick = known;
        return tick == null || tick.compareTo(half) > 0 ? half : tick;
    }

    /**
     * Returns how long the ensemble keeps the nodes of a session after it has last heard of the session, or after the
     * last election if that was later.
     */
    Duration expiry(Duration timeout) {
        return timeout.plus(within(timeout));
    }

    /**
     * Returns how often holders and waiters send heartbeats: at three quarters of a tick, or more often if the session
     * has few ticks.
     */
    Duration heartbeatInterval(Duration timeout) {
        Duration most = part(within(timeout), 3, 4);
        Duration idle = keepAliveInterval(timeout);
        return most.compareTo(idle) < 0 ? most : idle;
    }

    /** Returns how often an idle session sends a request through the leader. */
    Duration keepAliveInterval(Duration timeout) {
        return part(timeout.minus(within(timeout)), 1, 10);
    }

    /** Returns a part of a time. Each acquire needs some, and a division of the JDK makes several big numbers. */
    private static Duration part(Duration time, long numerator, long denominator) {
        return Duration.ofNanos(time.toNanos() * numerator / denominator);
    }
}
