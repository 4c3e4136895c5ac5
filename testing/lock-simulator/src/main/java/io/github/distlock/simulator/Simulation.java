package io.github.distlock.simulator;

import io.github.distlock.simulator.hooks.Hooks;
import io.github.distlock.simulator.hooks.Machine;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One run: virtual time, its events, and the threads of all processes. The thread that calls {@link #run} runs
 * everything, one step after the other.
 *
 * <p>A thread of a process is a virtual thread whose carrier is the caller of {@code run}. So the code that it runs
 * needs no change: if it blocks in a lock, a queue or a future, it gives control back to this class. The seed decides
 * which of the threads that can run is next.
 */
public final class Simulation implements World {
    private static final long FIRST_THREAD = 1_000;
    private static final long MOST_WORK = 4_000;
    private static final long MONITOR_SECONDS = 10;

    private final SplittableRandom random;
    private final RandomGenerator schedule;
    private final @Nullable Consumer<String> trace;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final List<Step> ready = new ArrayList<>();
    private final Map<SimulatedProcess, List<Step>> held = new HashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Long, Thread> startedFor = new HashMap<>();
    private final Monitors monitors = new Monitors();
    private final List<Object> kept = new ArrayList<>();
    /** Those with a queue whose objects are not collected. */
    private final List<Reference<?>> references = new ArrayList<>();

    private final List<Reference<?>> collected = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    /** The rest of the present step, once its thread has the monitor for which it waits. */
    private final BlockingQueue<Runnable> entered = new LinkedBlockingQueue<>();

    /** The simulation that goes on with the copy of a process. */
    private @Nullable Simulation beside;

    private final Thread carrier = Thread.currentThread();
    private volatile @Nullable Thread running;
    private Interference interference = Interference.NONE;
    private long now;
    private long eventNumber;
    private long threadNumber = FIRST_THREAD;
    private long steps;
    private long hash;

    /**
     * How much the scheduler disturbs threads that could run.
     *
     * @param preemption the probability of a preemption at each point of the product's code
     * @param delay the probability that a thread which could run is delayed
     * @param longestDelay the longest delay in nanoseconds
     */
    public record Interference(double preemption, double delay, long longestDelay) {
        static final Interference NONE = new Interference(0, 0, 0);
    }

    private static final class Event implements Comparable<Event> {
        private final long at;
        private final long number;
        private @Nullable Runnable action;

        Event(long at, long number, Runnable action) {
            this.at = at;
            this.number = number;
            this.action = action;
        }

        @Override
        public int compareTo(Event other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }

    /** A thread that can run, until it blocks the next time. It is delayed once at most. */
    private record Step(SimulatedThread thread, Runnable continuation, boolean mayBeDelayed) {}

    /** A thread of a process, as its code sees it. */
    private final class SimulatedThread implements Executor, Machine {
        private final SimulatedProcess process;
        private @Nullable Thread thread;
        private @Nullable Thread original;
        private boolean started;
        private int atomicSections;

        SimulatedThread(SimulatedProcess process) {
            this.process = process;
        }

        private Thread thread() {
            Thread known = thread;
            if (known == null) {
                throw new IllegalStateException("no thread");
            }
            return known;
        }

        @Override
        public void execute(Runnable continuation) {
            if (!started) {
                process.countThread();
                started = true;
            } else if (thread() == running && SimulatedThreads.isAtMonitor(thread())) {
                entered.add(continuation);
                return;
            }
            ready(new Step(this, continuation, true));
        }

        @Override
        public long nanoTime() {
            return process.nanoTime();
        }

        @Override
        public long wallMillis() {
            return process.wallMillis();
        }

        @Override
        public long random() {
            return process.random().nextLong();
        }

        @Override
        public void parkNanos(long nanos) {
            if (thread == null) {
                throw new IllegalStateException("an event must not wait");
            }
            if (nanos <= 0) {
                return;
            }
            Event end = event(process.trueTime(process.nanoTime() + nanos), () -> LockSupport.unpark(thread()));
            LockSupport.park();
            end.action = null;
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            long end = process.nanoTime() + nanos;
            while (end - process.nanoTime() > 0) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("sleep interrupted");
                }
                parkNanos(end - process.nanoTime());
            }
        }

        @Override
        public Thread newThread(String name, Runnable task) {
            return Simulation.this.newThread(process, name, task);
        }

        @Override
        public void start(Thread original) {
            SimulatedThread runs = simulated(process, original.getName(), original);
            runs.original = original;
            startedFor.put(original.getId(), runs.thread());
            runs.thread().start();
        }

        @Override
        public Thread original() {
            Thread known = original;
            return known == null ? Thread.currentThread() : known;
        }

        @Override
        public Thread startedFor(Thread original) {
            return startedFor.getOrDefault(original.getId(), original);
        }

        @Override
        public void enterMonitor(Object object) {
            monitors.enter(object);
        }

        @Override
        public void exitMonitor(Object object) {
            monitors.exit(object);
        }

        @Override
        public void waitMonitor(Object object, long millis) throws InterruptedException {
            monitors.await(object, millis);
        }

        @Override
        public void notifyMonitor(Object object) {
            monitors.signalAll(object);
        }

        @Override
        @SuppressWarnings("ThreadPriorityCheck") // This class is the scheduler.
        public void preempt() {
            Hooks.preemptAfter(pointsUntilPreemption());
            Thread.yield();
        }

        @Override
        public void keep(Object object) {
            kept.add(object);
        }

        @Override
        public void made(Reference<?> reference) {
            references.add(reference);
        }

        @Override
        public boolean hasCollected(Reference<?> reference) {
            return collected.contains(reference);
        }
    }

    /**
     * Creates a simulation.
     *
     * @param seed decides everything
     * @param trace consumes the lines of the trace, or null
     */
    public Simulation(long seed, @Nullable Consumer<String> trace) {
        random = new SplittableRandom(seed);
        schedule = random.split();
        this.trace = trace;
    }

    /**
     * Sets how much threads are disturbed from now on. Without a call, they are not.
     *
     * @param newInterference how much
     */
    public void interfere(Interference newInterference) {
        interference = newInterference;
        Hooks.preemptAfter(pointsUntilPreemption());
    }

    /**
     * Creates a process.
     *
     * @param name unique in this simulation
     * @param seed the seed of its random stream; two processes of one seed draw the same numbers, as clones do
     * @return a process without threads
     */
    public SimulatedProcess process(String name, long seed) {
        return new SimulatedProcess(this, name, seed);
    }

    @Override
    public long nanoTime() {
        return now;
    }

    /** Returns a true time that is later than all that were returned before, for events that need an order. */
    long tick() {
        return ++now;
    }

    @Override
    public void at(long nanoTime, Runnable action) {
        event(nanoTime, action);
    }

    private Event event(long nanoTime, Runnable action) {
        Event event = new Event(Math.max(now, nanoTime), eventNumber++, action);
        events.add(event);
        return event;
    }

    @Override
    public RandomGenerator random() {
        return random;
    }

    @Override
    public void trace(String actor, Supplier<String> what) {
        if (trace != null) {
            // The text may come from the product's code, which must not be preempted there without a trace either.
            Hooks.beginAtomic();
            try {
                trace.accept(String.format("%14.6f  %-10s %s", now / 1e9, actor, what.get()));
            } finally {
                Hooks.endAtomic();
            }
        }
    }

    Thread newThread(SimulatedProcess process, String name, Runnable task) {
        return simulated(process, name, task).thread();
    }

    private SimulatedThread simulated(SimulatedProcess process, String name, Runnable task) {
        SimulatedThread simulated = new SimulatedThread(process);
        Thread thread = SimulatedThreads.create(simulated, name, threadNumber++, process.random(), task);
        thread.setUncaughtExceptionHandler((ended, failure) -> endedByError(process, ended, failure));
        simulated.thread = thread;
        if (trace != null) {
            threads.add(thread);
        }
        return simulated;
    }

    private void endedByError(SimulatedProcess process, Thread thread, Throwable failure) {
        trace(process.name(), () -> "has an error that ends the thread " + thread.getName() + ": " + failure);
        if (!SimulatedProcess.NoMoreThreads.haveCaused(failure)) {
            failures.add(process + ": the thread " + thread.getName() + " ended by " + Records.describe(failure));
        }
    }

    /** Returns which threads have ended by an error, unless a fault of this simulation has caused it. */
    List<String> failures() {
        return failures;
    }

    /** Adds to the trace where each thread waits. */
    void traceThreads() {
        for (Thread thread : threads) {
            if (thread.isAlive()) {
                trace("THREAD", () -> thread.getName() + " " + Arrays.toString(thread.getStackTrace()));
            }
        }
    }

    private void ready(Step step) {
        requireSimulated();
        SimulatedProcess process = step.thread.process;
        if (process.hasCrashed()) {
            return;
        }
        if (process.isRunning()) {
            ready.add(step);
        } else {
            held.computeIfAbsent(process, key -> new ArrayList<>()).add(step);
        }
    }

    /** Another thread would wake a simulated one at a time that no seed decides. */
    private void requireSimulated() {
        Thread caller = Thread.currentThread();
        if (caller != carrier && caller != running) {
            throw new IllegalStateException(caller + " wakes a simulated thread");
        }
    }

    void resumed(SimulatedProcess process) {
        List<Step> steps = held.remove(process);
        if (steps != null) {
            steps.forEach(this::ready);
        }
    }

    void crashed(SimulatedProcess process) {
        held.remove(process);
        ready.removeIf(step -> step.thread.process == process);
    }

    /**
     * Runs code of a process at once, as part of an event: its clocks and its random stream are those of the process.
     *
     * @param process the process
     * @param code must not wait
     */
    public void as(SimulatedProcess process, Runnable code) {
        Hooks.enter(Thread.currentThread(), new SimulatedThread(process), 1);
        try {
            code.run();
        } finally {
            int unused = Hooks.leave();
        }
    }

    /**
     * Clears and enqueues the reference to an object, as the collector does when nothing else reaches the object. The
     * caller has to know that nothing does.
     *
     * @param object an object to which a process has made a weak reference with a queue
     */
    void collect(Object object) {
        for (int i = references.size() - 1; i >= 0; i--) {
            Reference<?> reference = references.get(i);
            if (reference.get() == object) {
                references.remove(i);
                collected.add(reference);
                boolean unused = reference.enqueue();
                return;
            }
        }
        throw new IllegalArgumentException("no reference to " + object);
    }

    /**
     * Runs until a condition holds, a time has come, or nothing is left that could happen.
     *
     * @param until the time at which the run ends at the latest
     * @param finished looked at after each step
     */
    public void run(long until, BooleanSupplier finished) {
        while (now < until && !finished.getAsBoolean()) {
            Simulation next = beside != null && beside.nextTime() < nextTime() ? beside : this;
            long at = next.nextTime();
            if (at == Long.MAX_VALUE) {
                return;
            }
            if (at > next.now) {
                passTo(Math.min(at, until));
            } else {
                passTo(at); // The clock beside must not stay behind, because what happens here wakes threads there.
                next.proceed();
            }
        }
    }

    /** Returns when the next event or thread runs. */
    private long nextTime() {
        if (!ready.isEmpty()) {
            return now;
        }
        Event next = events.peek();
        return next == null ? Long.MAX_VALUE : Math.max(now, next.at);
    }

    private void passTo(long time) {
        now = Math.max(now, time);
        if (beside != null) {
            beside.now = Math.max(beside.now, time);
        }
    }

    private void proceed() {
        Event next = events.peek();
        if (next != null && next.at <= now) {
            events.remove();
            if (next.action != null) {
                note(next.number);
                next.action.run();
            }
        } else {
            step();
        }
    }

    /**
     * Runs another simulation beside this one. Both have the same time, and events of either happen in its order.
     *
     * @param other a simulation that the same thread has run until now
     */
    void goOnBeside(Simulation other) {
        beside = other;
    }

    private void step() {
        int chosen = schedule.nextInt(ready.size());
        Step step = ready.get(chosen);
        ready.set(chosen, ready.get(ready.size() - 1));
        ready.remove(ready.size() - 1);
        SimulatedThread simulated = step.thread;
        if (!simulated.process.isRunning()) {
            ready(step);
        } else if (simulated.process.slowUntil(simulated.thread()) > 0) {
            delay(step, simulated.process.slowUntil(simulated.thread()));
        } else if (step.mayBeDelayed && interference.delay > 0 && schedule.nextDouble() < interference.delay) {
            delay(step);
        } else {
            steps++;
            Thread thread = simulated.thread();
            note(thread.getId());
            running = thread;
            proceed(simulated, step.continuation);
            while (SimulatedThreads.isAtMonitor(thread)) {
                proceed(simulated, entered(thread));
            }
            running = null;
            now += 1 + schedule.nextLong(MOST_WORK);
        }
    }

    private static void proceed(SimulatedThread simulated, Runnable continuation) {
        Hooks.enter(simulated.thread(), simulated, simulated.atomicSections);
        continuation.run();
        simulated.atomicSections = Hooks.leave();
    }

    /**
     * Waits until a thread has a monitor of the JVM that a thread outside the simulation has now, such as the one that
     * runs cleaners. The step of the thread goes on as if the monitor had been free.
     */
    private Runnable entered(Thread thread) {
        try {
            Runnable continuation = entered.poll(MONITOR_SECONDS, TimeUnit.SECONDS);
            if (continuation == null) {
                throw new IllegalStateException(thread + " waits for a monitor that a simulated thread may have, at "
                        + Arrays.toString(thread.getStackTrace()));
            }
            return continuation;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Short delays are as likely as long ones. */
    private void delay(Step step) {
        long length = (long) StrictMath.exp(schedule.nextDouble() * StrictMath.log((double) interference.longestDelay));
        delay(step, now + length);
    }

    private void delay(Step step, long until) {
        step.thread.process.stalled(now, until);
        event(until, () -> ready(new Step(step.thread, step.continuation, false)));
    }

    private int pointsUntilPreemption() {
        if (interference.preemption <= 0) {
            return Integer.MAX_VALUE;
        }
        double points = StrictMath.log(1 - schedule.nextDouble()) / StrictMath.log(1 - interference.preemption);
        return (int) Math.min(Integer.MAX_VALUE, points);
    }

    private void note(long what) {
        hash = (hash ^ now) * 0x9E37_79B9_7F4A_7C15L;
        hash = (hash ^ (hash >>> 29) ^ what) * 0xBF58_476D_1CE4_E5B9L;
    }

    /**
     * Returns a number that two runs share only if all their steps were the same.
     *
     * @return a hash of all steps so far
     */
    public long hash() {
        return beside == null ? hash : 31 * hash + beside.hash;
    }

    /**
     * Returns how often a thread ran until it blocked.
     *
     * @return the number of steps
     */
    public long steps() {
        return beside == null ? steps : steps + beside.steps;
    }
}
