package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What needs no threads, so that every JDK can run it. {@code .ci/simulate} runs the rest. */
class SimulationTest {
    private final Simulation simulation = new Simulation(7, null);

    @Test
    void eventsOfOneTimeRunInTheOrderOfTheirCalls() {
        List<Integer> seen = new ArrayList<>();
        simulation.at(20, () -> seen.add(3));
        simulation.at(10, () -> seen.add(1));
        simulation.at(10, () -> seen.add(2));

        simulation.run(100, () -> false);

        assertThat(seen).containsExactly(1, 2, 3);
    }

    @Test
    void timeDoesNotPassTheEndOfTheRun() {
        simulation.at(1_000, () -> {});

        simulation.run(100, () -> false);

        assertThat(simulation.nanoTime()).isEqualTo(100);
    }

    @Test
    void clocksOfAProcessDriftByTheirRate() {
        SimulatedProcess process = simulation.process("p", 1);
        process.rate(1.5);
        long nanos = process.nanoTime();
        simulation.at(1_000_000_000, () -> {});

        simulation.run(1_000_000_000, () -> false);

        assertThat(process.nanoTime() - nanos).isEqualTo(1_500_000_000);
        assertThat(process.trueTime(process.nanoTime())).isEqualTo(1_000_000_000);
    }

    @Test
    void aStepMovesOnlyTheWallClock() {
        SimulatedProcess process = simulation.process("p", 1);
        long nanos = process.nanoTime();
        long millis = process.wallMillis();

        process.stepWallClock(-5_000);

        assertThat(process.nanoTime()).isEqualTo(nanos);
        assertThat(process.wallMillis()).isEqualTo(millis - 5_000);
    }

    @Test
    void aThreadThatCouldNotBeStartedIsTheCauseOfALaterFailure() {
        Throwable failure = new IllegalStateException("later", new SimulatedProcess.NoMoreThreads());

        assertThat(SimulatedProcess.NoMoreThreads.haveCaused(failure)).isTrue();
        assertThat(SimulatedProcess.NoMoreThreads.haveCaused(new OutOfMemoryError("real")))
                .isFalse();
    }

    @Test
    void clonesDrawTheSameNumbers() {
        SimulatedProcess one = simulation.process("one", 1);
        SimulatedProcess clone = simulation.process("clone", 1);

        assertThat(clone.random().nextLong()).isEqualTo(one.random().nextLong());
    }
}
