package io.github.distlock.redis.connection;

/** One subscription to one channel. */
public interface Listening {
    /**
     * Subscribes, and returns when the subscription ends or breaks. Silence counts as broken. May throw: an
     * {@link ErrorReply} if the server has refused the subscription.
     *
     * @throws InterruptedException if the thread is interrupted
     */
    void run() throws InterruptedException;

    /**
     * Asks for a sign of life. One thread at a time calls this, about once a second while a contender waits. May throw.
     */
    void askForSignOfLife();

    /**
     * Returns whether the subscription must be broken after a long silence, although {@link #run} has not returned.
     *
     * @return true if so
     */
    boolean isSilent();

    /**
     * Returns what {@linkplain Connections#server names the server} to which the subscription leads, once it is
     * confirmed.
     *
     * @return a key with {@code equals}
     */
    Object server();

    /** Makes {@link #run} return soon. Never throws. */
    void end();
}
