package io.github.distlock.bench;

/**
 * A process on simulated cores, and its CPU time. If a core is idle, the wake-up of a thread takes CPU time. If the
 * process has done nothing for a while, its work takes more CPU time, since caches have lost what it needs. Times are
 * in microseconds. Not thread-safe.
 */
final class SimulatedProcess {
    private static final double COLD_AFTER = 1_000;

    private final VirtualTime time;
    private final Cores cores;
    private final double wakeUp;
    private final double cold;
    private double lastUsed;
    private double cpuMicros;

    SimulatedProcess(VirtualTime time, Cores cores, double wakeUp, double cold) {
        this.time = time;
        this.cores = cores;
        this.wakeUp = wakeUp;
        this.cold = cold;
    }

    /** Runs work of a thread that is awake. */
    void run(double micros, Runnable then) {
        double cpu = micros + (time.now() - lastUsed > COLD_AFTER ? cold : 0);
        cpuMicros += cpu;
        lastUsed = time.now();
        cores.run(cpu, () -> {
            lastUsed = time.now();
            then.run();
        });
    }

    /** Runs work of a thread that sleeps. */
    void wake(double micros, Runnable then) {
        run(micros + (cores.hasIdle() ? wakeUp : 0), then);
    }

    double cpuMicros() {
        return cpuMicros;
    }
}
