package io.github.distlock.simulator;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Two runs of one plan.
 *
 * @param result what the first run has shown
 * @param differs whether the second run differs from the first one, in its steps or in what users have seen
 */
record Repetition(SimulatedRun.Result result, boolean differs) {

    static Repetition of(Plan plan, @Nullable Consumer<String> trace) {
        return of(plan, trace, (simulation, network) -> Stores.create(plan, simulation, network));
    }

    static Repetition of(Plan plan, @Nullable Consumer<String> trace, SimulatedRun.StoreFactory stores) {
        SimulatedRun.Result first = SimulatedRun.run(plan, trace, stores);
        return new Repetition(first, !SimulatedRun.run(plan, null, stores).equals(first));
    }
}
