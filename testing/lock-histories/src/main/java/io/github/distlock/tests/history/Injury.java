package io.github.distlock.tests.history;

/**
 * A fault that was caused, and whom it was aimed at.
 *
 * @param kind what was done
 * @param aim whom it was to hit
 * @param process the one that was hit, or zero for the server
 * @param lock whose holder, waiter or acquirer it was, or empty
 * @param from not later than its beginning
 * @param to not earlier than its end
 */
record Injury(Kind kind, Aim aim, long process, String lock, long from, long to) {

    enum Kind {
        PROCESS_STOPPED,
        PROCESS_KILLED,
        LINK_SILENT,
        REQUESTS_SILENT,
        REPLIES_SILENT,
        REPLIES_LATE,
        CONNECTIONS_CUT,
        CONNECTIONS_RESET,
        REPLY_DROPPED,
        SERVER_PAUSED,
        SERVER_KILLED
    }

    enum Aim {
        HOLDER,
        FIRST_WAITER,
        ACQUIRER,
        SERVER
    }

    boolean stopsTheProcess() {
        return kind == Kind.PROCESS_STOPPED;
    }

    /** A connection that is cut is made anew: what waits in the store keeps its place. */
    boolean losesPlaces() {
        return switch (kind) {
            case CONNECTIONS_CUT, CONNECTIONS_RESET, REPLY_DROPPED -> false;
            default -> true;
        };
    }

    boolean concerns(ProcessHistory history) {
        return process == 0 || process == history.number;
    }

    boolean overlaps(long begin, long end) {
        return from <= end && to >= begin;
    }

    void writeTo(HistoryWriter writer) {
        writer.write(from, Event.Kind.FAULT, process, lock, 0, to, kind + " " + aim);
    }

    static Injury of(Event event) {
        String[] words = event.note().split(" ", -1);
        return new Injury(
                Kind.valueOf(words[0]),
                Aim.valueOf(words[1]),
                event.operation(),
                event.lock(),
                event.at(),
                event.until());
    }
}
