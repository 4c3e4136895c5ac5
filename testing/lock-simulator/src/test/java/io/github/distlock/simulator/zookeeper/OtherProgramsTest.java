package io.github.distlock.simulator.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.Simulation;
import io.github.distlock.simulator.zookeeper.Transaction.Creation;
import io.github.distlock.simulator.zookeeper.Transaction.Deletion;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OtherProgramsTest {
    private static final long SECOND = 1_000_000_000;
    /** This choice of an operator deletes a waiter. */
    private static final long DELETES = 0;
    /** With this choice, another library prefers locks that may be kept. */
    private static final long PREFERS = 1;

    private static final String HOLDER = "/distlock/plain/_c_1-lock-0000000000";
    private static final String WAITER = "/distlock/plain/_c_2-lock-0000000001";

    private final Simulation simulation = new Simulation(1, null);
    private final Network network = new Network(simulation, 100_000);
    private final Ensemble ensemble = new Ensemble(simulation, network, EnsembleSettings.of(500), 3);
    private final OtherPrograms programs = new OtherPrograms(simulation, ensemble);

    private void pass(long nanos) {
        simulation.run(simulation.nanoTime() + nanos, () -> false);
    }

    private void create(String... paths) {
        pass(SECOND);
        Stream.of(paths).forEach(path -> {
            ensemble.change(tree -> List.of(new Creation(path, new byte[0], 0)));
            pass(SECOND);
        });
    }

    private List<String> foreign() {
        List<String> nodes = new ArrayList<>(ensemble.nodes());
        nodes.removeIf(path -> !programs.own(path));
        return nodes;
    }

    @Test
    void anOperatorDeletesTheNodesOfWaitersOnly() {
        create("/distlock", "/distlock/plain", HOLDER, WAITER);

        programs.changeNode(DELETES);
        pass(SECOND);
        programs.changeNode(DELETES);
        pass(SECOND);

        assertThat(ensemble.nodes()).contains(HOLDER).doesNotContain(WAITER);
    }

    @Test
    void aLockOfCuratorWaitsForItsTurnAndIsReleased() {
        create("/distlock", "/distlock/plain", HOLDER);

        programs.acquire(PREFERS, 2 * SECOND);
        pass(10 * SECOND);
        assertThat(foreign()).hasSize(1);
        ensemble.change(tree -> List.of(new Deletion(HOLDER)));
        pass(SECOND);
        assertThat(foreign()).hasSize(1);
        pass(10 * SECOND);

        assertThat(foreign()).isEmpty();
        assertThat(programs.haveLocked()).isTrue();
    }

    @Test
    void otherProgramsEndWithTheirHoldsAndPlaces() {
        create("/distlock", "/distlock/plain", HOLDER);
        programs.acquire(PREFERS, 100 * SECOND);
        programs.acquire(PREFERS, 100 * SECOND);
        pass(SECOND);
        ensemble.change(tree -> List.of(new Deletion(HOLDER)));
        pass(SECOND);

        programs.end();
        pass(SECOND);

        assertThat(foreign()).isEmpty();
    }

    @Test
    void aLockOfCuratorPrefersWhatMayBeKept() {
        create("/distlock", "/distlock/a", "/distlock/b", "/distlock/a/_c_1-lock-0000000000");
        create("/distlock/b/_c_1-delay-lock-0000000000");

        programs.acquire(PREFERS, SECOND);
        pass(SECOND);

        assertThat(foreign()).singleElement().asString().startsWith("/distlock/b/");
    }
}
