package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** The network between one client and the store, with faults. Lasting faults last until {@link #heal()}. */
interface Network {
    /** What is lost or late. */
    enum Message {
        REQUEST,
        REPLY
    }

    /** What does not arrive any more. */
    enum Silence {
        REQUESTS_AND_REPLIES,
        REQUESTS,
        REPLIES
    }

    boolean isReal();

    /** Returns the backend that the client uses. */
    LockBackend client();

    void silence(Silence silence);

    default void silence() {
        silence(Silence.REQUESTS_AND_REPLIES);
    }

    /** Refuses connections, and ends those that are open. */
    void refuse();

    /** Ends all connections. */
    void cut();

    /** Ends all connections in the middle of what they carry. The result tells whether that has happened. */
    BooleanSupplier reset();

    /** Lets everything arrive in small pieces. */
    void slice();

    /** Loses the next request, or its reply. The result tells whether that has happened. */
    BooleanSupplier dropNext(Message message);

    /** Delays the next request, or its reply. The result tells whether it has arrived. */
    BooleanSupplier delayNext(Message message, Duration delay);

    /** Returns the number of open connections. */
    int connections();

    void heal();
}
