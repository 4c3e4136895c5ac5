package io.github.distlock.tests;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What lies between one client and the store, with faults. Lasting ones last until {@link #heal()}. */
interface Network {
    /** Nothing arrives anywhere. */
    void silence();

    /** Nothing arrives at the store. */
    void silenceRequests();

    /** Nothing arrives at the client. */
    void silenceReplies();

    /** Connections are refused, and those that are there end. */
    void refuse();

    /** Connections end. */
    void cut();

    /** Connections end in the middle of whatever they carry. */
    void reset();

    /** All that is carried arrives in small pieces. */
    void slice();

    /** The next request is lost. */
    BooleanSupplier dropNextRequest();

    /** The next request arrives, and its reply is lost. */
    BooleanSupplier dropNextReply();

    /** The next request is late. */
    BooleanSupplier delayNextRequest(Duration delay);

    /** The reply to the next request is late, if that time passes meanwhile. */
    LateReply delayNextReply(Duration delay);

    /** How many connections there are. */
    int connections();

    void heal();

    /** A reply that is or will be under way. */
    interface LateReply {
        /** Lets it arrive when its time has come. */
        void arrive();
    }
}
