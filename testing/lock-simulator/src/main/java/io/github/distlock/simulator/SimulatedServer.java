package io.github.distlock.simulator;

/** A server that serves one request after the other, at its own time. It may stand still for a while. */
final class SimulatedServer {
    private final Simulation simulation;
    private final SimulatedProcess process;
    private long pausedUntil;

    SimulatedServer(Simulation simulation, String name) {
        this.simulation = simulation;
        process = simulation.process(name, simulation.random().nextLong());
    }

    String name() {
        return process.name();
    }

    /** Runs a request at once, or when a pause is over. */
    void serve(Runnable request) {
        if (pausedUntil > simulation.nanoTime()) {
            simulation.at(pausedUntil, () -> serve(request));
        } else {
            simulation.as(process, request);
        }
    }

    void pause(long nanos) {
        pausedUntil = simulation.nanoTime() + nanos;
    }

    void resume() {
        pausedUntil = 0;
    }

    SimulatedProcess process() {
        return process;
    }
}
