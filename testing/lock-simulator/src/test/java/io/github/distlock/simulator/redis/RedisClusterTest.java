package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.Simulation;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;

/** Compares the redirections of the model with those of a real cluster of two primaries. */
class RedisClusterTest {
    private static final long SECOND = 1_000_000_000;
    private static final String ONE = "{slot}:one";
    private static final String TWO = "{slot}:two";
    private static final String NONE = "{slot}:none";
    private static final String ELSEWHERE = "elsewhere";
    private static final int SLOT = RedisCluster.slot(ONE.getBytes(UTF_8));
    private static final List<List<String>> REQUESTS = List.of(
            List.of(ONE),
            List.of(TWO),
            List.of(ONE, TWO),
            List.of(NONE),
            List.of(ONE, NONE),
            List.of(ONE, ONE),
            List.of(NONE, NONE),
            List.of(ONE, ELSEWHERE));

    private final Simulation simulation = new Simulation(1, null);
    private final Network network = new Network(simulation, 100_000);
    private final List<RedisNode> nodes =
            List.of(new RedisNode("redis1", 1, simulation, network), new RedisNode("redis2", 1, simulation, network));
    private final RedisCluster cluster = new RedisCluster(nodes, simulation);
    private final RedisNode source = cluster.firstOwner(SLOT);
    private final RedisNode target = nodes.get(1 - nodes.indexOf(source));

    private @Nullable Object ask(RedisNode node, boolean asking, String... words) {
        List<@Nullable Object> replies = new ArrayList<>();
        Connection connection = node.connect("client", () -> {}, () -> {});
        List<byte[]> command = new ArrayList<>();
        for (String word : words) {
            command.add(word.getBytes(UTF_8));
        }
        node.send(connection, command, asking, replies::add);
        simulation.run(simulation.nanoTime() + SECOND, () -> !replies.isEmpty());
        return replies.get(0);
    }

    private static String[] request(List<String> keys) {
        List<String> words = new ArrayList<>(List.of("EVAL", "return 1", Integer.toString(keys.size())));
        words.addAll(keys);
        return words.toArray(String[]::new);
    }

    /** The same two nodes, in processes. */
    private static final class Real implements AutoCloseable {
        final io.github.distlock.tests.servers.RedisCluster cluster =
                io.github.distlock.tests.servers.RedisCluster.start(2, 0, Duration.ofSeconds(5));
        final RedisServer source = cluster.primaryOf(ONE);
        final RedisServer target = cluster.members().stream()
                .filter(node -> node != source)
                .findFirst()
                .orElseThrow();

        Object ask(RedisServer node, boolean asking, String... words) {
            try (redis.clients.jedis.Connection connection =
                    new redis.clients.jedis.Connection(new HostAndPort(node.host(), node.port()))) {
                if (asking) {
                    connection.sendCommand(Command.ASKING);
                    connection.getOne();
                }
                String[] arguments = new String[words.length - 1];
                System.arraycopy(words, 1, arguments, 0, arguments.length);
                connection.sendCommand(Command.valueOf(words[0]), arguments);
                return connection.getMany(1).get(0);
            }
        }

        void moveKey(String key) {
            String reply = new String(
                    (byte[]) ask(
                            source, false, "MIGRATE", target.host(), Integer.toString(target.port()), key, "0", "5000"),
                    UTF_8);
            assertThat(reply).isEqualTo("OK");
        }

        @Override
        public void close() {
            cluster.close();
        }
    }

    private String shown(@Nullable Object reply) {
        return reply instanceof RedisError error
                ? shown(error.words(), words -> cluster.target(words) == target)
                : String.valueOf(reply);
    }

    private static String shown(Real real, Object reply) {
        return reply instanceof JedisDataException error
                ? shown(String.valueOf(error.getMessage()), words -> words.endsWith(" " + real.target.address()))
                : String.valueOf(reply);
    }

    private static String shown(String words, java.util.function.Predicate<String> leadsToTarget) {
        String code = words.substring(0, words.indexOf(' '));
        boolean redirects = code.equals("MOVED") || code.equals("ASK");
        return redirects ? code + (leadsToTarget.test(words) ? " target" : " source") : code;
    }

    /** Later versions of Redis answer a request for several keys, of which the source has some, with TRYAGAIN. */
    private static String shownBySource(List<String> keys, String shown) {
        boolean waits = shown.startsWith("ASK") || shown.equals("TRYAGAIN");
        return waits && keys.size() > 1 ? "ASK or TRYAGAIN" : shown;
    }

    private void compare(String state, Real real) {
        for (boolean asking : new boolean[] {false, true}) {
            for (List<String> keys : REQUESTS) {
                assertThat(shownBySource(keys, shown(ask(source, asking, request(keys)))))
                        .as("%s, source, %s, %s", state, asking, keys)
                        .isEqualTo(shownBySource(keys, shown(real, real.ask(real.source, asking, request(keys)))));
                assertThat(shown(ask(target, asking, request(keys))))
                        .as("%s, target, %s, %s", state, asking, keys)
                        .isEqualTo(shown(real, real.ask(real.target, asking, request(keys))));
            }
        }
    }

    @Test
    void nodesRedirectAsThoseOfARealClusterWhileASlotMoves() {
        try (Real real = new Real()) {
            compare("without keys", real);
            for (String key : List.of(ONE, TWO)) {
                ask(source, false, "SET", key, "value");
                real.ask(real.source, false, "SET", key, "value");
            }
            compare("at rest", real);
            cluster.begin(SLOT, target);
            real.cluster.beginMigration(ONE, real.target);
            compare("begun", real);
            cluster.moveKey(ONE);
            real.moveKey(ONE);
            compare("one key moved", real);
            cluster.moveKey(TWO);
            real.moveKey(TWO);
            compare("all keys moved", real);
            cluster.heal();
            real.cluster.endMigration(ONE, real.target);
            compare("ended", real);
        }
    }

    @Test
    void aMoveTakesAllKeysWithTheirValuesAndTimes() {
        ask(source, false, "SET", ONE, "value", "PX", "10000");
        ask(source, false, "SET", TWO, "other");

        boolean begins = cluster.move(SLOT, target, SECOND / 10);

        assertThat(begins).isTrue();
        simulation.run(simulation.nanoTime() + 2 * SECOND, () -> false);

        assertThat((byte[]) ask(target, false, "GET", ONE)).isEqualTo("value".getBytes(UTF_8));
        assertThat((byte[]) ask(target, false, "GET", TWO)).isEqualTo("other".getBytes(UTF_8));
        assertThat((Long) ask(target, false, "PTTL", ONE)).isBetween(9_000L, 9_999L);
        assertThat(shown(ask(source, false, "GET", ONE))).isEqualTo("MOVED target");
    }

    @Test
    void aSlotThatMovesOrIsAlreadyThereDoesNotBeginToMove() {
        boolean alreadyThere = cluster.move(SLOT, source, SECOND / 10);
        boolean first = cluster.move(SLOT, target, SECOND / 10);
        boolean second = cluster.move(SLOT, target, SECOND / 10);

        assertThat(alreadyThere).isFalse();
        assertThat(first).isTrue();
        assertThat(second).isFalse();
    }

    @Test
    void aMessageReachesTheSubscribersOfEachNodeOnce() {
        List<String> heard = new ArrayList<>();
        for (RedisNode node : nodes) {
            Connection connection = node.connect("client", () -> {}, () -> {});
            node.subscribe(connection, "channel", message -> heard.add(node.name() + " " + message), () -> {});
        }
        simulation.run(simulation.nanoTime() + SECOND, () -> false);

        ask(source, false, "PUBLISH", "channel", "news");
        simulation.run(simulation.nanoTime() + SECOND, () -> false);

        assertThat(heard).containsExactlyInAnyOrder("redis1 news", "redis2 news");
    }
}
