package io.github.distlock.simulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares the requests for release that holders hear of with those that were sent (V12). A listener hears at most as
 * often as requests have come since its hold began. A hold that begins with a grant hears of none that was answered
 * before its acquire was called. Any other hold may hear of one that came within a round trip before it.
 */
final class HeardRequests {
    /** A client takes no later answer. */
    private static final long ROUND_TRIP = 1_000_000_000;

    private final World world;
    private final Map<String, List<Request>> requests = new HashMap<>();

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

    /** A listener of one hold. */
    final class Listener {
        private final String lock;
        private final long earliest;
        private int heard;

        /**
         * Makes a listener that has heard nothing.
         *
         * @param lock the name of the lock
         * @param since when the acquire was called
         * @param beginsGrant whether the hold is the first one of its grant
         * @param process where the hold is
         */
        Listener(String lock, long since, boolean beginsGrant, SimulatedProcess process) {
            this.lock = lock;
            this.earliest = beginsGrant ? since : since - ROUND_TRIP - process.stalledSince(0);
        }

        /** Hears of one more request. Returns whether that is one too many. */
        boolean hear() {
            long possible = requests.getOrDefault(lock, List.of()).stream()
                    .filter(request -> request.until >= earliest)
                    .count();
            return ++heard > possible;
        }
    }
}
