package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.List;
import java.util.function.Consumer;

/**
 * How requests reach the server: over {@linkplain OwnConnections connections of our own}, or through
 * {@linkplain LentClient a caller-supplied client}.
 *
 * <p>Exceptions: {@link io.github.distlock.spi.RequestRefusedException} for a refusal, any other for an unknown
 * outcome, each with the server's words.
 */
interface Redis extends AutoCloseable {

    /** One request; the reply is a {@code Long}, a {@code byte[]}, or a list of replies. */
    Object call(ScriptCall call, Deadline deadline) throws InterruptedException;

    /**
     * Many requests in one exchange per server, apart from those of {@link #call}: for upkeep that must not wait behind
     * them.
     *
     * @return a reply for each, in their order; an exception where a reply was an error
     */
    List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException;

    /** Whether a request may reach the server twice although it was sent once. */
    boolean sendsAgain();

    /** A subscription to one channel. Sends nothing yet. */
    Listening listening(String channel, Consumer<String> messages, Runnable subscribed);

    /** Ends what is ours; requests under way fail soon. Idempotent. */
    @Override
    void close();
}
