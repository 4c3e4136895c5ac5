package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;

/** Simulated threads that meet threads outside the simulation. Only the newest JDK can simulate threads. */
@EnabledForJreRange(minVersion = 25)
class MonitorsOfTheJvmTest {
    private final Simulation simulation = new Simulation(7, null);
    private final SimulatedProcess process = simulation.process("p", 1);
    private final Object monitor = new Object();

    @Test
    void aMonitorThatAnotherThreadHasTakesNoSimulatedTime() throws InterruptedException {
        List<String> seen = new ArrayList<>();
        CountDownLatch entered = new CountDownLatch(1);
        Thread simulated = process.start("one", () -> {
            synchronized (monitor) {
                seen.add("monitor");
            }
        });
        Thread outside = new Thread(() -> {
            synchronized (monitor) {
                entered.countDown();
                while (simulated.getState() != Thread.State.BLOCKED) {
                    Thread.onSpinWait();
                }
            }
        });
        outside.start();
        entered.await();
        simulation.at(1, () -> seen.add("event"));

        simulation.run(1_000_000, () -> false);

        outside.join();
        assertThat(seen).containsExactly("monitor", "event");
    }
}
