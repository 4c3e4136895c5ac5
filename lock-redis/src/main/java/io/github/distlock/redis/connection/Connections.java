package io.github.distlock.redis.connection;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.function.Consumer;

/**
 * Connections that another client library than Jedis makes, to the servers of one deployment. They send commands, and
 * know nothing of locks and scripts. Thread-safe.
 *
 * <p><b>At most once.</b> A command is executed at most once. It is not repeated after its connection has broken, and
 * not sent after its deadline, because the backend may have cleaned up by then. A redirection of a cluster is followed,
 * because the node that redirects has not executed the command.
 *
 * <p><b>Bounded.</b> A call ends by its deadline, whatever the server, the network and the settings of the client
 * library do. Its outcome is unknown then. An interrupt ends it, too.
 */
public interface Connections extends AutoCloseable {

    /** What a command is for. Commands of one purpose never queue behind those of the other one. */
    enum Purpose {
        /** Acquires, releases and all else that callers wait for. */
        REQUEST,
        /** Renewals and heartbeats. */
        UPKEEP
    }

    /**
     * Sends commands, in one exchange for each server. The order is kept for commands of one lock.
     *
     * @param commands at least one
     * @param purpose what all of them are for
     * @param deadline when the answers must be there
     * @return for each command, in their order: {@code Long}, {@code byte[]} or a list of these, an empty one for a
     *     null reply; an {@link ErrorReply}; or another exception, which means that the outcome is unknown or that
     *     nothing was sent
     * @throws InterruptedException if the thread is interrupted; the outcomes are unknown then
     */
    List<Object> send(List<LockCommand> commands, Purpose purpose, Deadline deadline) throws InterruptedException;

    /**
     * Returns what names the server that keeps a lock at present. Sends nothing and does not block.
     *
     * @param lockKey the lock key
     * @return a key with {@code equals}
     */
    Object server(byte[] lockKey);

    /**
     * Returns whether one server keeps all locks, so that a command may name the keys of several locks. Sends nothing.
     *
     * @return true if so
     */
    boolean isOneServer();

    /**
     * Makes a subscription to one channel. Sends nothing yet.
     *
     * @param channel the channel
     * @param messages takes each message, on the thread of {@link Listening#run}
     * @param subscribed runs on the same thread when the server has confirmed the subscription
     * @return a new subscription
     */
    Listening listening(String channel, Consumer<String> messages, Runnable subscribed);

    /**
     * Returns the servers that keep locks at present. Asks the deployment for them.
     *
     * @param deadline when the answer must be there
     * @return the servers
     * @throws InterruptedException if the thread is interrupted
     */
    List<Server> servers(Deadline deadline) throws InterruptedException;

    /**
     * Throws if the calling thread must not wait, because the client library needs it to receive answers.
     *
     * @throws RequestRefusedException says which thread to use instead
     */
    void requireMayWait();

    /** Closes the connections, and waits for that for a short time. Requests under way fail. Later ones open others. */
    void disconnect();

    /** Ends the connections and their threads; requests under way fail soon. A second call does nothing. */
    @Override
    void close();

    /** A server that keeps locks, as a health check sees it. */
    interface Server {

        /**
         * Returns the server's host and port, or the name of the client that knows them.
         *
         * @return one line
         */
        String address();

        /**
         * Returns whether the deployment puts another server in the place of this one if it fails.
         *
         * @return true if so
         */
        boolean failsOver();

        /**
         * Returns whether this server keeps a lock. Sends nothing.
         *
         * @param lockKey the lock key
         * @return true if so
         */
        boolean keeps(byte[] lockKey);

        /**
         * Sends commands without keys, all in one exchange over one connection.
         *
         * @param commands the words of each
         * @param deadline when the replies must be there
         * @return a reply for each command: {@code Long}, {@code byte[]}, a list, or an {@link ErrorReply}
         * @throws InterruptedException if the thread is interrupted
         */
        List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException;
    }
}
