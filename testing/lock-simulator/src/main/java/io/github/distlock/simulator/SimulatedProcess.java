package io.github.distlock.simulator;

import java.io.Serial;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * A process of a simulation, with clocks and a random stream that belong to it. Its threads run only by the scheduler
 * of the {@link Simulation}.
 */
public final class SimulatedProcess {
    private static final long EPOCH_MILLIS = 1_800_000_000_000L;
    private static final String EVENT_THREAD = "-EventThread";

    private final Simulation simulation;
    private String name;
    private RandomGenerator random;
    private final long origin;
    private long anchor;
    private long anchorNanos;
    private double rate = 1;
    private long wallOffsetMillis = EPOCH_MILLIS;
    private final List<Stall> stalls = new ArrayList<>();
    private final Map<Thread, Long> answeredAt = new HashMap<>();
    private long slowEventsUntil;
    private int failingThreads;
    private boolean threadsHaveFailed;
    private long pausedSince;
    private boolean paused;
    private boolean crashed;

    /** A time in which some thread of the process could have run and did not. */
    record Stall(long from, long until) {}

    /** The failure of a start. */
    static final class NoMoreThreads extends OutOfMemoryError {
        @Serial
        private static final long serialVersionUID = 1L;

        NoMoreThreads() {
            super("unable to create native thread: the simulation allows no more");
        }

        /** Returns whether a failure has such a cause. */
        static boolean haveCaused(Throwable failure) {
            return Records.causes(failure).stream().anyMatch(NoMoreThreads.class::isInstance);
        }
    }

    SimulatedProcess(Simulation simulation, String name, long seed) {
        this.simulation = simulation;
        this.name = name;
        random = new SplittableRandom(seed);
        anchor = simulation.nanoTime();
        // As after some uptime. The scales of two processes have nothing in common.
        origin = random.nextLong(1L << 50);
        anchorNanos = origin;
    }

    /**
     * Returns the name.
     *
     * @return unique in its simulation
     */
    public String name() {
        return name;
    }

    /**
     * Starts a thread of this process, also if those of the product cannot be started.
     *
     * @param role the name of the thread
     * @param task what it runs
     * @return the thread, started
     */
    public Thread start(String role, Runnable task) {
        Thread thread = simulation.newThread(this, role, task);
        int failing = failingThreads;
        failingThreads = 0;
        thread.start();
        failingThreads = failing;
        return thread;
    }

    /**
     * Reads the monotonic clock of this process.
     *
     * @return nanoseconds since some origin
     */
    public long nanoTime() {
        return anchorNanos + (long) ((simulation.nanoTime() - anchor) * rate);
    }

    /**
     * Reads the wall clock of this process.
     *
     * @return milliseconds since 1970-01-01T00:00Z
     */
    public long wallMillis() {
        return wallOffsetMillis + (nanoTime() - origin) / 1_000_000;
    }

    /**
     * Returns the true time at which the monotonic clock of this process shows a time, if its rate stays.
     *
     * @param nanoTime on the scale of {@link #nanoTime()}
     * @return on the scale of {@link World#nanoTime()}
     */
    public long trueTime(long nanoTime) {
        return anchor + (long) Math.ceil((nanoTime - anchorNanos) / rate);
    }

    /**
     * Notes that a server has answered to the present thread.
     *
     * @param at true time, or {@link Long#MIN_VALUE} if some answers are missing
     */
    public void answered(long at) {
        answeredAt.put(Thread.currentThread(), at);
    }

    /** Returns when a server has answered last to the present thread, as far as the store notes that. */
    long answeredAt() {
        return answeredAt.getOrDefault(Thread.currentThread(), Long.MIN_VALUE);
    }

    /**
     * Returns the random stream of this process.
     *
     * @return always the same
     */
    public RandomGenerator random() {
        return random;
    }

    /**
     * Lets both clocks run faster or slower from now on.
     *
     * @param rate seconds of this process in a true second
     */
    public void rate(double rate) {
        anchorNanos = nanoTime();
        anchor = simulation.nanoTime();
        this.rate = rate;
    }

    /**
     * Moves the wall clock.
     *
     * @param millis how far; negative to move it back
     */
    public void stepWallClock(long millis) {
        wallOffsetMillis += millis;
    }

    /** Stops all threads until {@link #resume()}. Clocks go on, and messages arrive. */
    public void pause() {
        if (!paused) {
            pausedSince = simulation.nanoTime();
        }
        paused = true;
    }

    /** Lets the threads run again. */
    public void resume() {
        if (paused) {
            stalled(pausedSince, simulation.nanoTime());
        }
        paused = false;
        simulation.resumed(this);
    }

    /** Lets the threads on which ZooKeeper's client reports events stand still until a time. */
    void slowEvents(long until) {
        slowEventsUntil = Math.max(slowEventsUntil, until);
    }

    /** Returns until when a thread stands still, or 0 if it does not. */
    long slowUntil(Thread thread) {
        boolean stands =
                slowEventsUntil > simulation.nanoTime() && thread.getName().endsWith(EVENT_THREAD);
        return stands ? slowEventsUntil : 0;
    }

    /**
     * Lets the next starts of threads fail, as if the process had as many as it may have.
     *
     * @param count how many
     */
    public void failThreads(int count) {
        failingThreads = count;
    }

    /** Called when a thread starts. */
    void countThread() {
        if (failingThreads > 0) {
            failingThreads--;
            threadsHaveFailed = true;
            throw new NoMoreThreads();
        }
    }

    boolean hasFailedThreads() {
        return threadsHaveFailed;
    }

    void stalled(long from, long until) {
        stalls.add(new Stall(from, until));
    }

    List<Stall> stalls() {
        return stalls;
    }

    /** Returns for how long threads have stalled since a true time, in sum. */
    long stalledSince(long since) {
        return stalls.stream()
                .mapToLong(stall -> stall.until() - Math.max(since, stall.from()))
                .filter(nanos -> nanos > 0)
                .sum();
    }

    /**
     * Goes on as the copy of another process, which has done the same until now.
     *
     * @param newName the name of the copy
     * @param seed the seed of its random stream from now on
     */
    void becomeCopy(String newName, long seed) {
        name = newName;
        random = new SplittableRandom(seed);
    }

    /** Lets the threads run again. The monotonic clock has stood still during the pause, and the wall clock has not. */
    void restore() {
        if (paused) {
            long pause = simulation.nanoTime() - pausedSince;
            anchor += pause;
            wallOffsetMillis += pause / 1_000_000;
        }
        resume();
    }

    /** Ends the process: its threads never run again. */
    public void crash() {
        if (paused) {
            stalled(pausedSince, simulation.nanoTime());
        }
        crashed = true;
        simulation.crashed(this);
    }

    /**
     * Returns whether threads of this process may run.
     *
     * @return false while it is paused, and after its crash
     */
    public boolean isRunning() {
        return !paused && !crashed;
    }

    /**
     * Returns whether this process has crashed.
     *
     * @return true after {@link #crash()}
     */
    public boolean hasCrashed() {
        return crashed;
    }

    @Override
    public String toString() {
        return name;
    }
}
