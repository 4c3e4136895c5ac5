package io.github.distlock.simulator.hooks;

import java.lang.ref.Reference;

/** What a simulation gives to the code that it runs. Called only by the code that runs now. */
public interface Machine {
    /**
     * Reads the monotonic clock of the process whose code runs.
     *
     * @return nanoseconds
     */
    long nanoTime();

    /**
     * Reads the wall clock of the process whose code runs.
     *
     * @return milliseconds since 1970-01-01T00:00Z
     */
    long wallMillis();

    /**
     * Draws from the random stream of the process whose code runs.
     *
     * @return any number
     */
    long random();

    /**
     * Parks the thread that runs, until it is unparked or interrupted, or a time is over.
     *
     * @param nanos by the clock of its process
     */
    void parkNanos(long nanos);

    /**
     * Lets the thread that runs sleep.
     *
     * @param nanos by the clock of its process
     * @throws InterruptedException if it is interrupted
     */
    void sleep(long nanos) throws InterruptedException;

    /**
     * Makes a thread of the process whose code runs.
     *
     * @param name its name
     * @param task what it runs
     * @return a thread that has not been started
     */
    Thread newThread(String name, Runnable task);

    /**
     * Starts a simulated thread that runs another one, which is not started.
     *
     * @param original what it runs
     */
    void start(Thread original);

    /**
     * Returns what the thread that runs was started for.
     *
     * @return the original of {@link #start}, or the thread itself
     */
    Thread original();

    /**
     * Returns the simulated thread that runs another one.
     *
     * @param original the other one
     * @return the thread, or the original if it was not started
     */
    Thread startedFor(Thread original);

    /**
     * Enters a monitor.
     *
     * @param object whose monitor it is
     */
    void enterMonitor(Object object);

    /**
     * Leaves a monitor.
     *
     * @param object whose monitor it is
     */
    void exitMonitor(Object object);

    /**
     * Waits in a monitor.
     *
     * @param object whose monitor it is
     * @param millis how long at most, or 0
     * @throws InterruptedException if the thread is interrupted
     */
    void waitMonitor(Object object, long millis) throws InterruptedException;

    /**
     * Wakes all threads that wait in a monitor.
     *
     * @param object whose monitor it is
     */
    void notifyMonitor(Object object);

    /** Lets another thread run first. */
    void preempt();

    /**
     * Keeps an object until the simulation ends.
     *
     * @param object what must not be collected before
     */
    void keep(Object object);

    /**
     * Remembers a reference with a queue.
     *
     * @param reference whose object the simulation may collect
     */
    void made(Reference<?> reference);

    /**
     * Returns whether the simulation has collected the object of a reference.
     *
     * @param reference a reference that is in its queue
     * @return false if the JVM has collected it
     */
    boolean hasCollected(Reference<?> reference);
}
