package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.Deadline;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which node keeps which locks. Thread-safe. */
interface Deployment {

    /**
     * Where commands go.
     *
     * @param asking whether the node imports their slot from another node of its cluster
     */
    record Route(Node node, boolean asking) {}

    /** Returns what {@linkplain Connections#server names the server} that keeps a lock, as far as it is known. */
    Object server(byte[] lockKey);

    /** Returns where the commands of a lock go. Waits for the deployment's answer if this is not known yet. */
    Route route(byte[] lockKey, Deadline deadline) throws InterruptedException;

    /** Returns a node that takes subscriptions. */
    Node any(Deadline deadline) throws InterruptedException;

    /**
     * Returns where a command goes that a node has redirected, or null if redirections are not followed.
     *
     * @param words the node's answer
     */
    @Nullable
    Route redirected(Route from, byte[] lockKey, String words);

    /** Notes that a node did not answer, and has no connection any more. Does not block. */
    void failed(Node node);

    /** Notes a subscription, which the deployment may end if it leads to a server that keeps no locks any more. */
    default void begun(LettuceListening listening) {}

    /** Notes that a subscription has ended. */
    default void ended(LettuceListening listening) {}

    /** Returns the servers that keep locks. Asks the deployment for them. */
    List<Connections.Server> servers(Deadline deadline) throws InterruptedException;

    /** Closes the connections, and waits for that for up to 250 ms. The next request opens others. */
    void disconnect();

    /** Ends all connections, and waits for that for up to 250 ms. */
    void close();
}
