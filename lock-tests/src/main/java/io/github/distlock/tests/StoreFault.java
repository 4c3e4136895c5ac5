package io.github.distlock.tests;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What goes wrong around a store while it is used, and what the contract's rules of faults begin with. A fixture says
 * {@linkplain BackendFixture#faults() which of them can be caused}: all of them over a {@link ServerFixture}. Of the others
 * the contract does what comes nearest, and reports by name what it could not cause.
 */
public enum StoreFault {
    /** The server's process stands still. */
    SERVER_PAUSED("the server's process stands still: its connections stay open, and nothing is answered"),
    /** The server's process ends at once, and comes back with its data. */
    SERVER_KILLED("the server's process ends at once, and comes back with its data"),
    /** The server's process ends at once, and comes back empty. */
    SERVER_WIPED("the server's process ends at once, and comes back empty"),
    /** Connections between a client and its server end, are reset, or are refused. */
    CONNECTION_CUT("connections between a client and its server end, are reset, or are refused"),
    /** Nothing that a client and its server send arrives, and neither is told. */
    HALF_OPEN("nothing that a client and its server send arrives, and neither is told"),
    /** A request does not reach the server. */
    REQUEST_DROPPED("a request does not reach the server"),
    /** A request is carried out long after its client has given it up. */
    REQUEST_DELAYED("a request is carried out long after its client has given it up"),
    /** A request is carried out, and its reply gets lost. */
    REPLY_DROPPED("a request is carried out, and its reply gets lost"),
    /** A request is carried out, and its reply comes when the lease is nearly or quite over. */
    REPLY_DELAYED("a request is carried out, and its reply comes when the lease is nearly or quite over"),
    /** A client's process stands still, and goes on later. */
    CLIENT_STOPPED("a client's process stands still, and goes on later"),
    /** A client's process ends without a word. */
    CLIENT_KILLED("a client's process ends without a word");

    private static final Set<StoreFault> WITHOUT_SERVER =
            Collections.unmodifiableSet(EnumSet.of(HALF_OPEN, REQUEST_DROPPED, REPLY_DROPPED, REPLY_DELAYED));

    private final String description;

    StoreFault(String description) {
        this.description = description;
    }

    /** What the contract causes by itself, between the engine and the backend. */
    static Set<StoreFault> withoutServer() {
        return WITHOUT_SERVER;
    }

    /**
     * What happens.
     *
     * @return one sentence, for people
     */
    public String description() {
        return description;
    }
}
