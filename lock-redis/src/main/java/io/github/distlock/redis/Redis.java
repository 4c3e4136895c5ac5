package io.github.distlock.redis;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import java.util.List;
import java.util.function.Consumer;

/**
 * How requests reach the server: over {@linkplain OwnConnections connections of the backend}, through
 * {@linkplain SuppliedClient a caller-supplied client}, or over {@linkplain OtherConnections connections of another
 * client library}.
 *
 * <p>A refused request throws {@link io.github.distlock.spi.RequestRefusedException}, and another error of the server
 * an {@link ErrorReply}. Any other exception means that the outcome of the request is unknown. All carry the server's
 * words. No type of a client library appears here.
 */
interface Redis extends AutoCloseable {

    /**
     * Sends one request.
     *
     * @return the {@linkplain ScriptCall#answer answer}: a list of {@code Long} and {@code byte[]}, which may be empty
     */
    List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException;

    /**
     * Returns what names the server that keeps a lock at present: a key with {@code equals}. Sends nothing and does not
     * block.
     */
    Object server(LockKeys keys);

    /**
     * Sends many requests, in one exchange for each server. They do not queue behind those of
     * {@link #call}. All are written before the first reply is read. So there must be few enough that the replies fit
     * into the buffers of the connection.
     *
     * @return for each request, in their order, its answer as a list, or the exception that {@link #call} would throw
     */
    List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException;

    /** Publishes the {@linkplain ScriptCall#notices messages to waiters} in the reply to a request. */
    void publish(ScriptCall call, Deadline deadline) throws InterruptedException;

    /** Returns whether one server keeps all locks, so that a script may name the keys of several locks. */
    boolean isOneServer();

    /** Returns whether a request may reach the server twice although the backend has sent it once. */
    boolean sendsAgain();

    /** Returns whether the backend learns that a server has taken the place of another one, whose data it may lack. */
    boolean followsFailovers();

    /** Returns whether a subscription leaves connections for other requests. Sends nothing. */
    boolean canListen();

    /** Makes a subscription to one channel. Sends nothing yet. */
    Listening listening(String channel, Consumer<String> messages, Runnable subscribed);

    /** Returns the servers that keep locks at present. Asks the deployment for them. */
    List<Connections.Server> servers(Deadline deadline) throws InterruptedException;

    /** Throws a {@code RequestRefusedException} if the calling thread must not wait for answers. */
    default void requireMayWait() {}

    /** Closes the connections of the backend, while no request is under way. The next request opens new ones. */
    void disconnect();

    /** Ends the connections and threads of the backend; requests under way fail soon. A second call does nothing. */
    @Override
    void close();
}
