package io.github.distlock.redis;

/** One subscription to one channel. */
interface Listening {
    /**
     * Subscribes, and returns when the subscription ends or breaks. Silence counts as broken. May throw: an
     * {@link ErrorReply} if the server has refused the subscription.
     */
    void run() throws InterruptedException;

    /**
     * Asks for a sign of life. One thread at a time calls this, about once a second while a contender waits. May throw.
     */
    void askForSignOfLife();

    /** Returns whether the subscription must be broken after a long silence, although {@link #run} has not returned. */
    boolean isSilent();

    /**
     * Returns what {@linkplain Redis#server names the server} to which the subscription leads, once it is confirmed.
     */
    Object server();

    /** Makes {@link #run} return soon. Never throws. */
    void end();
}
