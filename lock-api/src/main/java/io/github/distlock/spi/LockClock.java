package io.github.distlock.spi;

/**
 * The time that engine and backend share. Almost every backend uses {@link #system()}. A clock that tests move must
 * know which threads of the engine wait for time, and which work it must let finish. Thread-safe.
 */
public interface LockClock {

    /**
     * Returns the clock of this machine: {@link System#nanoTime()} and {@link System#currentTimeMillis()}.
     *
     * @return always the same
     */
    static LockClock system() {
        return SystemClock.INSTANCE;
    }

    /**
     * Reads the monotonic clock, on Linux {@code CLOCK_MONOTONIC}.
     *
     * @return nanoseconds since some origin; only differences have a meaning
     */
    long nanoTime();

    /**
     * Reads the wall clock.
     *
     * @return milliseconds since 1970-01-01T00:00Z
     */
    long wallMillis();

    /**
     * Reads both clocks.
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
     * Wraps a piece of the engine's background work that a thread will run soon, so that a clock that is moved can wait
     * for it.
     *
     * @param work what will run
     * @return work to run in its place, exactly once
     */
    default Runnable track(Runnable work) {
        return work;
    }

    /** One thread's wait for time or for another thread. */
    interface Parker extends AutoCloseable {

        /**
         * Waits until the time has come, {@link #unpark()} is called, or the thread is interrupted. May return early
         * for no reason. If an earlier {@code unpark} has ended no wait, this returns at once. Keeps the interrupt
         * flag.
         *
         * @param nanoTime on the scale of {@link LockClock#nanoTime()}
         */
        void parkUntil(long nanoTime);

        /** Ends the current or the next wait. Any thread may call this. */
        void unpark();

        /** Ends the use of this parker: its thread waits no more. */
        @Override
        void close();
    }
}
