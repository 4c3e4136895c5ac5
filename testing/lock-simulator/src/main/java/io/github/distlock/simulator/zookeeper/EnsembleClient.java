package io.github.distlock.simulator.zookeeper;

import org.apache.jute.Record;
import org.apache.zookeeper.proto.ReplyHeader;
import org.jspecify.annotations.Nullable;

/** What a client hears of its connection to a server. Each method is an event, and must not block. */
public interface EnsembleClient {

    /** The connection is open. */
    void opened();

    /**
     * A message has arrived.
     *
     * @param header null before the answer to the request for a session
     * @param body null if the message has only a header
     */
    void received(@Nullable ReplyHeader header, @Nullable Record body);

    /** The server has refused or closed the connection, or the connection has broken. */
    void closed();
}
