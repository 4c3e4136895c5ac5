package io.github.distlock.simulator.zookeeper;

import org.apache.jute.Record;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.RequestHeader;
import org.jspecify.annotations.Nullable;

/** One connection to a server, real or modeled, below any client library. */
interface Peer extends AutoCloseable {

    /** Sends the request for a session, and returns the answer. */
    ConnectResponse connect(ConnectRequest request);

    /** Sends a request. */
    void send(RequestHeader header, @Nullable Record body);

    /**
     * Returns the next message of the server.
     *
     * @param types returns the type of the request with an xid
     */
    Message receive(java.util.function.IntUnaryOperator types);

    @Override
    void close();
}
