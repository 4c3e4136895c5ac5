package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConnectionTest {
    private static final long SECOND = 1_000_000_000L;

    private final Simulation simulation = new Simulation(7, null);
    private final Network network = new Network(simulation, 1_000_000);
    private final Connection connection = network.connect("client", "server");
    private final List<Integer> arrived = new ArrayList<>();

    private void run() {
        simulation.run(100 * SECOND, () -> false);
    }

    @Test
    void messagesArriveInOrder() {
        List<Integer> sent = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            int message = i;
            sent.add(message);
            connection.toServer(() -> arrived.add(message));
        }

        run();

        assertThat(arrived).isEqualTo(sent);
    }

    @Test
    void aBreakLosesWhatIsUnderWay() {
        connection.toServer(() -> arrived.add(1));
        connection.breakOff();

        run();

        assertThat(arrived).isEmpty();
    }

    @Test
    void bothEndsLearnOfABreak() {
        connection.onBrokenForClient(() -> arrived.add(1));
        connection.onBrokenForServer(() -> arrived.add(2));
        connection.breakOff();

        run();

        assertThat(arrived).containsExactlyInAnyOrder(1, 2);
    }

    @Test
    void aHeldLinkDelaysOneDirection() {
        network.hold("client", "server", 10 * SECOND);
        connection.toServer(() -> arrived.add(1));
        connection.toClient(() -> arrived.add(2));

        simulation.run(9 * SECOND, () -> false);
        List<Integer> before = List.copyOf(arrived);
        run();

        assertThat(before).containsExactly(2);
        assertThat(arrived).containsExactly(2, 1);
    }
}
