package io.github.distlock.bench;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * A server that executes requests in order of arrival, on one thread or on several. What a request writes is on the
 * disk before the answer. One flush takes all writes that wait for the disk. Not thread-safe.
 */
final class SimulatedServer {
    private final VirtualTime time;
    private final SimulatedProcess process;
    private final int threads;
    private final double flushMicros;
    private final Queue<Job> jobs = new ArrayDeque<>();
    private List<Runnable> unflushed = new ArrayList<>();
    private int working;
    private boolean flushing;

    private record Job(double micros, Runnable done) {}

    /** Makes a server with so many threads, whose disk takes this time for a flush. 0 means that it has no disk. */
    SimulatedServer(VirtualTime time, SimulatedProcess process, int threads, double flushMicros) {
        this.time = time;
        this.process = process;
        this.threads = threads;
        this.flushMicros = flushMicros;
    }

    /** Executes a request, and then runs its answer. */
    void execute(double micros, boolean writes, Runnable answer) {
        Job job = new Job(micros, writes && flushMicros > 0 ? () -> flush(answer) : answer);
        if (working < threads) {
            working++;
            process.wake(micros, () -> done(job));
        } else {
            jobs.add(job);
        }
    }

    /** Answers, and goes on with the next request without sleeping. */
    private void done(Job job) {
        Job next = jobs.poll();
        if (next == null) {
            working--;
        } else {
            process.run(next.micros, () -> done(next));
        }
        job.done.run();
    }

    private void flush(Runnable answer) {
        unflushed.add(answer);
        if (!flushing) {
            flushAll();
        }
    }

    private void flushAll() {
        flushing = true;
        List<Runnable> written = unflushed;
        unflushed = new ArrayList<>();
        time.after(flushMicros, () -> {
            flushing = false;
            written.forEach(Runnable::run);
            if (!flushing && !unflushed.isEmpty()) {
                flushAll();
            }
        });
    }

    /** Returns the CPU time of all requests that have begun. */
    double cpuMicros() {
        return process.cpuMicros();
    }
}
