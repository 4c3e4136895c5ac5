package io.github.distlock.simulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares the requests for release that holders hear of with those that were sent (V12). A listener hears at most as
 * often as requests have come since its hold began. A hold that begins with a grant hears of none that was answered
 * before its acquire was called. Any other hold may hear of one that came within a round trip before it, which is as
 * long as the longest exchange since then. It begins when the hold before it is released, or later.
 */
final class HeardRequests {
    /** A store says how long ago a request came, by a clock that may drift. */
    private static final int DRIFT_ONE_OF = 100;

    private final World world;
    private final Map<String, List<Request>> requests = new HashMap<>();
    private final Map<String, Released> released = new HashMap<>();

    private record Released(long token, long at) {}

    HeardRequests(World world) {
        this.world = world;
    }

    /** A request, until when it may arrive. */
    static final class Request {
        private long until = Long.MAX_VALUE;
    }

    /** A request for a lock is sent. */
    Request send(String lock) {
        Request request = new Request();
        requests.computeIfAbsent(lock, any -> new ArrayList<>()).add(request);
        return request;
    }

    /** The store has answered a request. */
    void answered(Request request) {
        request.until = world.nanoTime();
    }

    /** A release begins. */
    void release(String lock, long token) {
        released.put(lock, new Released(token, world.nanoTime()));
    }

    /** The exchanges in which a process has asked for requests. */
    static final class Exchanges {
        private final List<Exchange> all = new ArrayList<>();

        private record Exchange(long begun, long ended) {}

        void add(long begun, long ended) {
            all.add(new Exchange(begun, ended));
        }

        private long longestSince(long time) {
            return all.stream()
                    .filter(exchange -> exchange.ended >= time)
                    .mapToLong(exchange -> exchange.ended - exchange.begun)
                    .max()
                    .orElse(0);
        }
    }

    /** A listener of one hold. */
    final class Listener {
        private final String lock;
        private final long since;
        private final boolean beginsGrant;
        private final Exchanges exchanges;
        private int heard;

        /**
         * Makes a listener that has heard nothing.
         *
         * @param lock the name of the lock
         * @param token of the hold
         * @param called when the acquire was called
         * @param beginsGrant whether the hold is the first one of its grant
         * @param exchanges of the process that has the hold
         */
        Listener(String lock, long token, long called, boolean beginsGrant, Exchanges exchanges) {
            Released before = released.get(lock);
            this.lock = lock;
            this.since = before != null && before.token == token - 1 ? Math.max(called, before.at) : called;
            this.beginsGrant = beginsGrant;
            this.exchanges = exchanges;
        }

        /** Hears of one more request. Returns whether that is one too many. */
        boolean hear() {
            long now = world.nanoTime();
            long roundTrip = beginsGrant ? 0 : exchanges.longestSince(since);
            long possible = requests.getOrDefault(lock, List.of()).stream()
                    .filter(request -> request.until >= since
                            || (!beginsGrant
                                    && request.until + roundTrip + (now - request.until) / DRIFT_ONE_OF >= since))
                    .count();
            return ++heard > possible;
        }
    }
}
