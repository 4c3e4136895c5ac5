package io.github.distlock.simulator.zookeeper;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * The leader's timers of sessions. A timer ends at a multiple of the tick: the first one after the session timeout.
 * Times are those of the leader's monotonic clock, in milliseconds.
 */
final class SessionTimers {
    private final long tick;
    private final Map<Long, Timer> timers = new TreeMap<>();

    private static final class Timer {
        private long end;
        private boolean closing;
        /** The server over which the session is connected, or null if none has sent a request yet. */
        private @Nullable Server owner;
    }

    SessionTimers(long tick) {
        this.tick = tick;
    }

    /** Begins the timer of a session. */
    void add(long session, int timeout, @Nullable Server owner, long now) {
        Timer timer = timers.computeIfAbsent(session, id -> new Timer());
        timer.owner = owner;
        timer.end = end(timeout, now);
    }

    private long end(int timeout, long now) {
        return ((now + timeout) / tick + 1) * tick;
    }

    /** Restarts the timer of a session. Returns false if the session does not exist any more. */
    boolean touch(long session, int timeout, long now) {
        Timer timer = timers.get(session);
        if (timer == null || timer.closing) {
            return false;
        }
        timer.end = end(timeout, now);
        return true;
    }

    /** Notes over which server a session is connected. */
    void move(long session, Server owner) {
        requireNonNull(timers.get(session)).owner = owner;
    }

    /** Returns why a session may not send requests over a server, or OK. */
    Code check(long session, Server over) {
        Timer timer = timers.get(session);
        if (timer == null || timer.closing) {
            return Code.SESSIONEXPIRED;
        }
        if (timer.owner == null) {
            timer.owner = over;
        }
        return timer.owner == over ? Code.OK : Code.SESSIONMOVED;
    }

    /** Notes that a session is about to end. */
    void close(long session) {
        Timer timer = timers.get(session);
        if (timer != null) {
            timer.closing = true;
        }
    }

    void remove(long session) {
        timers.remove(session);
    }

    /** Returns the sessions whose timers have ended. */
    List<Long> ended(long now) {
        return timers.entrySet().stream()
                .filter(timer -> timer.getValue().end <= now && !timer.getValue().closing)
                .map(Map.Entry::getKey)
                .toList();
    }
}
