package io.github.distlock.zookeeper;

import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;

/**
 * A request to the server, in the two forms of ZooKeeper's client. Over a caller-supplied client, ZooKeeper's event
 * thread gives the answer to a {@linkplain #send sent} request. Over the backend's own client, {@link DirectClient}
 * lets the send thread give most of these answers. The send thread gives the answer to a {@linkplain #call called}
 * request.
 *
 * @param <T> the answer
 */
interface Request<T> {

    /** Receives the answer to a sent request. No method blocks or calls out. */
    interface Receiver<T> {
        void complete(T value);

        void fail(Code code);

        /** Returns whether the answer is known already, so that this one comes too late. */
        boolean isDone();
    }

    /** Returns the right that ZooKeeper demands of the client, and the node on which it demands it. */
    String right();

    /** Sends the request, and does not wait for the answer. */
    void send(Receiver<T> receiver);

    /** Sends the request, and waits for the answer. */
    T call() throws KeeperException, InterruptedException;

    /**
     * Asks again after {@link #send}, if the client may have lost the answer. Sends nothing that could have another
     * effect than the first request.
     */
    default T callAgain() throws KeeperException, InterruptedException {
        return call();
    }
}
