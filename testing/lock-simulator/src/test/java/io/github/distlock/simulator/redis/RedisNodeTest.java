package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.Simulation;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The deletion of all data, as by {@code FLUSHALL}, while an answer is late. */
class RedisNodeTest {
    private static final long SECOND = 1_000_000_000;

    private final Simulation simulation = new Simulation(1, null);
    private final RedisNode node = new RedisNode("redis", 1, simulation, new Network(simulation, 100_000));
    private final List<String> answers = new ArrayList<>();

    private Connection connect() {
        return node.connect("client", () -> {}, () -> answers.add("broken"));
    }

    private void send(Connection connection, String name, String... words) {
        List<byte[]> command =
                Stream.of(words).map(word -> word.getBytes(UTF_8)).toList();
        node.send(connection, command, reply -> answers.add(name));
    }

    private void pass(long nanos) {
        simulation.run(simulation.nanoTime() + nanos, () -> false);
    }

    @Test
    void allDataIsLostAfterTheNextNewKeyAndTheAnswerIsLate() {
        Connection one = connect();
        Connection other = connect();
        node.loseAllAfterNext(SECOND);
        send(one, "first", "SET", "before", "value");
        pass(SECOND / 2);
        send(other, "second", "SET", "after", "value");
        pass(SECOND / 4);

        assertThat(answers).containsExactly("second");
        assertThat(node.keyNames()).containsExactly("after");

        pass(SECOND);

        assertThat(answers).containsExactly("second", "first");
    }

    @Test
    void allDataIsLostAtLastIfNoCommandComes() {
        send(connect(), "first", "SET", "before", "value");
        pass(SECOND);
        node.loseAllAfterNext(SECOND);

        node.loseAllAtLast();
        send(connect(), "second", "SET", "after", "value");
        pass(SECOND / 2);

        assertThat(answers).containsExactly("first", "second");
        assertThat(node.keyNames()).containsExactly("after");
    }
}
