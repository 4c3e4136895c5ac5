package io.github.distlock.tests;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** What goes wrong around a store while it is used. */
enum StoreFault {
    SERVER_PAUSED("the server's process stands still: its connections stay open, and no request is answered"),
    SERVER_KILLED("the server's process ends at once, and comes back with its data"),
    SERVER_WIPED("the server's process ends at once, and comes back empty"),
    CONNECTION_CUT("connections between a client and its server end, are reset, or are refused"),
    HALF_OPEN("messages between a client and its server are lost, and neither notices"),
    REQUEST_DROPPED("a request does not reach the server"),
    REQUEST_DELAYED("a request is carried out long after its client has given it up"),
    REPLY_DROPPED("a request is carried out, and its reply is lost"),
    REPLY_DELAYED("a request is carried out, and its reply arrives when the lease is nearly over, or is over"),
    CLIENT_STOPPED("a client's process stands still, and goes on later"),
    CLIENT_KILLED("a client's process ends without closing its client");

    /** What the contract causes by itself, between the engine and the backend. */
    static final Set<StoreFault> WITHOUT_SERVER = Collections.unmodifiableSet(
            EnumSet.of(HALF_OPEN, REQUEST_DROPPED, REQUEST_DELAYED, REPLY_DROPPED, REPLY_DELAYED));

    private final String description;

    StoreFault(String description) {
        this.description = description;
    }

    @Override
    public String toString() {
        return name() + " (" + description + ")";
    }
}
