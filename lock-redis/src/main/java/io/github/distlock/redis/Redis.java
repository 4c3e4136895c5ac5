package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.List;
import java.util.function.Consumer;

/**
 * How requests reach the server: over {@linkplain OwnConnections connections of our own}, or through {@linkplain LentClient a
 * client that was lent}.
 *
 * <p>Exceptions: {@link io.github.distlock.spi.RequestRefusedException} for a refusal, any other for an unknown outcome, each
 * with the server's words.
 */
interface Redis extends AutoCloseable {

    /** One request; the reply is a {@code Long}, a {@code byte[]}, or a list of replies. */
    Object call(ScriptCall call, Deadline deadline) throws InterruptedException;

    /**
     * Many requests in one exchange per server, apart from those of {@link #call}: for upkeep that must not wait behind them.
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

    /** One subscription. */
    interface Listening {
        /** Subscribes, and stays until that ends or breaks, which it notices by silence too. May throw. */
        void run();

        /** Asks for a sign of life. Called about once a second while it matters, by one thread at a time. May throw. */
        void ping();

        /** Whether it has been silent for so long that it must be broken, although {@link #run} has not noticed. */
        boolean isSilent();

        /** Makes {@link #run} return soon. Never throws. */
        void end();
    }
}
