package io.github.distlock.spi;

/**
 * Time as engine and backend see it. Thread-safe. Almost every backend uses {@link #system()}; another one lets tests
 * move time, for which it has to know which of the engine's threads wait for time, and which work it should let finish.
 */
public interface LockClock {

    /**
     * The clock of this machine: {@link System#nanoTime()} and {@link System#currentTimeMillis()}.
     *
     * @return always the same
     */
    static LockClock system() {
        return SystemClock.INSTANCE;
    }

    /**
     * A monotonic clock, on Linux {@code CLOCK_MONOTONIC}.
     *
     * @return nanoseconds since some origin; only differences mean anything
     */
    long nanoTime();

    /**
     * The wall clock.
     *
     * @return milliseconds since 1970-01-01T00:00Z
     */
    long wallMillis();

    /**
     * Both clocks.
     *
     * @return now
     */
    default Moment now() {
        return new Moment(nanoTime(), wallMillis());
    }

    /**
     * Begins a wait of the calling thread.
     *
     * @return a parker for that thread alone
     */
    Parker parker();

    /**
     * Wraps a piece of the engine's background work that is about to be handed to a thread, so that a clock that is
     * moved can wait for it.
     *
     * @param work what will run, soon
     * @return work to run instead, exactly once
     */
    default Runnable track(Runnable work) {
        return work;
    }

    /** One thread's wait for time or for another thread. */
    interface Parker extends AutoCloseable {

        /**
         * Waits until the time has come, {@link #unpark()} is called, or the thread is interrupted; may return early
         * for no reason. An earlier {@code unpark} that no wait has used makes it return at once. Keeps the interrupt
         * flag.
         *
         * @param nanoTime on the scale of {@link LockClock#nanoTime()}
         */
        void parkUntil(long nanoTime);

        /** Ends the current or the next wait. Callable from any thread. */
        void unpark();

        /** Ends the wait for good: the thread goes on to something else. */
        @Override
        void close();
    }
}
