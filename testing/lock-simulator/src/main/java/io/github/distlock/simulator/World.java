package io.github.distlock.simulator;

import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The virtual time and the chance of one simulation. Only the thread that runs the simulation may use it. */
public interface World {

    /**
     * Returns the true time, which no process can read.
     *
     * @return nanoseconds since the simulation began
     */
    long nanoTime();

    /**
     * Runs an event at a later time. Events of one time run in the order of the calls.
     *
     * @param nanoTime when, on the scale of {@link #nanoTime()}; a time that has passed means now
     * @param event what to run; must not block, and belongs to no process
     */
    void at(long nanoTime, Runnable event);

    /**
     * Returns the source of all choices that belong to no process.
     *
     * @return always the same
     */
    RandomGenerator random();

    /**
     * Adds a line to the trace, if there is one.
     *
     * @param actor the process, server or link that does something
     * @param what what it does, in the third person
     */
    void trace(String actor, Supplier<String> what);
}
