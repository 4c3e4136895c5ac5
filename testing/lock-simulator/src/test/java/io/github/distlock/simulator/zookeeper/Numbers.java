package io.github.distlock.simulator.zookeeper;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The numbers of one server. Two servers differ in the first transaction, in their clocks, and in their sessions. */
final class Numbers {
    private final long origin;
    private final Map<Long, Long> times = new HashMap<>();
    private final List<Long> sessions = new ArrayList<>();

    /**
     * Creates the numbers of a server.
     *
     * @param origin the number of a transaction at which both servers had the same state
     */
    Numbers(long origin) {
        this.origin = origin;
    }

    /** Returns a number of a transaction, counted from the origin. The root is older. */
    String zxid(long zxid) {
        return zxid == 0 ? "root" : String.valueOf(zxid - origin);
    }

    void add(long session) {
        sessions.add(session);
    }

    String session(long session) {
        return sessions.contains(session) ? "session " + sessions.indexOf(session) : String.valueOf(session);
    }

    /** Checks that a transaction has one time. */
    void time(long zxid, long time) {
        Long known = times.putIfAbsent(zxid, time);
        if (known != null && known != time) {
            throw new AssertionError("transaction " + zxid(zxid) + " was at " + known + " and at " + time);
        }
    }
}
