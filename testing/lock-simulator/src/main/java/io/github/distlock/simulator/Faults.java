package io.github.distlock.simulator;

import java.util.List;

/** The faults of processes, clocks and links, which are the same for all stores. */
final class Faults {
    static final String PAUSE = "pause";
    static final String CRASH = "crash";
    static final String CLOSE = "close";
    static final String WALL_CLOCK = "step of the wall clock";
    static final String SILENCE = "silent link";
    static final String SLOW_EVENTS = "slow event thread";
    static final String THREADS = "no new threads";

    /** Beyond the bound. It lasts for the whole run. */
    static final String DRIFT = "drift of clocks";

    static final List<String> OF_PROCESSES = List.of(PAUSE, PAUSE, CRASH, CLOSE, WALL_CLOCK, SILENCE, SILENCE, THREADS);

    /** Their effects have no bound in time, so runs with them check less. */
    static final List<String> UNBOUNDED = List.of(WALL_CLOCK, THREADS);

    private Faults() {}
}
