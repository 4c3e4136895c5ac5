package io.github.distlock.tests.history;

/**
 * A fault that the run injected.
 *
 * @param kind the kind of fault
 * @param aim the target of the fault
 * @param process the process that it struck, or 0 for the server
 * @param lock the lock of the holder, waiter or acquirer, or empty
 * @param from a time not later than its beginning
 * @param to a time not earlier than its end
 */
record InjectedFault(Kind kind, Aim aim, long process, String lock, long from, long to) {

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

    boolean stopsProcess() {
        return kind == Kind.PROCESS_STOPPED;
    }

    /**
     * Returns whether a waiter may lose its queue entry. If a connection is cut, the client connects again and keeps
     * it.
     */
    boolean mayLoseQueueEntries() {
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

    static InjectedFault of(Event event) {
        String[] words = event.note().split(" ", -1);
        return new InjectedFault(
                Kind.valueOf(words[0]),
                Aim.valueOf(words[1]),
                event.operation(),
                event.lock(),
                event.at(),
                event.until());
    }
}
