package io.github.distlock.redis;

/** One subscription to one channel. */
interface Listening {
    /** Subscribes, and stays until that ends or breaks, which it notices by silence too. May throw. */
    void run();

    /** Asks for a sign of life. Called about once a second while it matters, by one thread at a time. May throw. */
    void askForSignOfLife();

    /** Whether it has been silent for so long that it must be broken, although {@link #run} has not noticed. */
    boolean isSilent();

    /** Makes {@link #run} return soon. Never throws. */
    void end();
}
