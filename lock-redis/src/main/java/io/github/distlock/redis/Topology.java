package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Which node of a deployment keeps which locks. It learns this from the deployment, and from requests that failed.
 * Thread-safe. Exceptions are those of Jedis.
 */
interface Topology extends AutoCloseable {

    /**
     * Where a request goes.
     *
     * @param asking whether the node imports the slot of the request from another node of its cluster
     */
    record Route(Node node, boolean asking) {
        Route(Node node) {
            this(node, false);
        }
    }

    /**
     * Returns what {@linkplain Redis#server names the server} that keeps a lock, as far as it is known. Sends nothing.
     */
    Object server(byte[] lockKey);

    /** Returns where the requests of a lock go. Waits for the answers of other servers if this is not known yet. */
    Route route(byte[] lockKey, Deadline deadline) throws InterruptedException;

    /** Returns a node that takes subscriptions. */
    Node any(Deadline deadline) throws InterruptedException;

    /**
     * Learns from a failed request. Asks other servers where the lock is, if that is in doubt: waits for them until the
     * deadline, and asks them also if it has passed.
     *
     * @return where to send the request next, or null if nothing is known but where it has failed
     */
    @Nullable
    Route afterFailure(Route failed, byte[] lockKey, JedisException error, Deadline deadline)
            throws InterruptedException;

    /** Returns the nodes that keep locks at present. Asks the deployment for them, as far as it answers. */
    Collection<Node> serving(Deadline deadline) throws InterruptedException;

    /** Returns whether the deployment puts another node in the place of one that has failed. */
    default boolean failsOver() {
        return true;
    }

    /** Returns whether a node may redirect a request to another node. Otherwise, a redirection is a refusal. */
    default boolean hasRedirections() {
        return false;
    }

    /** Closes the connections, while no request is under way. The next request opens new ones. */
    void disconnect();

    /** Ends all connections and threads. */
    @Override
    void close();
}
