package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.hooks.Hooks;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;

/** Only the newest JDK can simulate threads. */
@EnabledForJreRange(minVersion = 25)
class TracesJvmTest {
    private static long hash(@Nullable Consumer<String> trace) {
        Simulation simulation = new Simulation(7, trace);
        simulation.interfere(new Simulation.Interference(0.3, 0, 1));
        SimulatedProcess process = simulation.process("p", 1);
        for (String role : new String[] {"one", "two"}) {
            process.start(role, () -> {
                for (int i = 0; i < 100; i++) {
                    Hooks.point();
                    simulation.trace(role, () -> {
                        Hooks.point();
                        return "a line";
                    });
                }
            });
        }
        simulation.run(1_000_000_000, () -> false);
        return simulation.hash();
    }

    @Test
    void aTraceChangesNoStep() {
        assertThat(hash(line -> {})).isEqualTo(hash(null));
    }
}
