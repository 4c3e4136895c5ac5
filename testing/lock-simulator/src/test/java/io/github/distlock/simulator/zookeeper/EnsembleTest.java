package io.github.distlock.simulator.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.Simulation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.apache.jute.Record;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.Create2Response;
import org.apache.zookeeper.proto.CreateRequest;
import org.apache.zookeeper.proto.ExistsRequest;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.apache.zookeeper.proto.SyncRequest;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EnsembleTest {
    private static final long SECOND = 1_000_000_000;
    private static final int TICK = 500;
    private static final int TIMEOUT = 2_000;

    private final Simulation simulation = new Simulation(1, null);
    private final Network network = new Network(simulation, 100_000);
    private final Ensemble ensemble = new Ensemble(simulation, network, EnsembleSettings.of(TICK), 3);

    private final class Session {
        private final ModeledPeer peer;
        private final ConnectResponse granted;
        private int xid;

        Session(int server, long id, long seen) {
            peer = new ModeledPeer(simulation, ensemble, "client", server);
            granted = peer.connect(new ConnectRequest(0, seen, TIMEOUT, id, new byte[16], false));
        }

        Message ask(int type, @Nullable Record body) {
            peer.send(new RequestHeader(++xid, type), body);
            return peer.receive(asked -> type);
        }

        Message create(String path, CreateMode mode) {
            return ask(OpCode.create2, new CreateRequest(path, new byte[0], List.of(), mode.toFlag()));
        }

        boolean exists(String path) {
            return ask(OpCode.exists, new ExistsRequest(path, false)).header().getErr() == 0;
        }
    }

    private Session connect(int server) {
        return new Session(server, 0, 0);
    }

    private int follower() {
        return IntStream.range(0, 3)
                .filter(server -> server != ensemble.leader())
                .findFirst()
                .orElseThrow();
    }

    private void pass(long nanos) {
        simulation.run(simulation.nanoTime() + nanos, () -> false);
    }

    @Test
    void aFollowerAnswersFromWhatItHasApplied() {
        Session writer = connect(ensemble.leader());
        Session reader = connect(follower());
        ensemble.lag(follower(), simulation.nanoTime() + SECOND);

        writer.create("/new", CreateMode.PERSISTENT);

        assertThat(reader.exists("/new")).isFalse();
        reader.ask(OpCode.sync, new SyncRequest("/"));
        assertThat(reader.exists("/new")).isTrue();
    }

    @Test
    void aServerThatIsToLagLongerAppliesItsCommitsThen() {
        int follower = follower();
        Session writer = connect(ensemble.leader());
        Session reader = connect(follower);
        ensemble.lag(follower, simulation.nanoTime() + SECOND / 2);
        writer.create("/one", CreateMode.PERSISTENT);
        writer.create("/two", CreateMode.PERSISTENT);
        ensemble.lag(follower, simulation.nanoTime() + SECOND);

        pass(SECOND * 3 / 2);

        assertThat(reader.exists("/two")).isTrue();
    }

    @Test
    void aLostAnswerIsThatOfAChange() {
        Session writer = connect(follower());
        ensemble.loseAnswer(follower(), false);

        assertThat(writer.exists("/new")).isFalse();
        assertThatThrownBy(() -> writer.create("/new", CreateMode.PERSISTENT))
                .hasMessage("the server has closed the connection");

        assertThat(ensemble.nodes()).contains("/new");
        assertThat(connect(follower())
                        .create("/next", CreateMode.PERSISTENT)
                        .header()
                        .getErr())
                .isZero();
    }

    @Test
    void aLostAnswerToATransactionIsNotThatOfASingleChange() {
        Session writer = connect(follower());
        ensemble.loseAnswer(follower(), true);
        writer.create("/one", CreateMode.PERSISTENT);
        MultiOperationRecord two = new MultiOperationRecord();
        two.add(Op.create("/two", new byte[0], List.of(), CreateMode.PERSISTENT));

        assertThatThrownBy(() -> writer.ask(OpCode.multi, two)).hasMessage("the server has closed the connection");

        assertThat(ensemble.nodes()).contains("/one", "/two");
    }

    @Test
    void aSessionEndsAfterItsTimeoutAndATickAtMost() {
        Session owner = connect(follower());
        owner.create("/own", CreateMode.EPHEMERAL);
        long heard = simulation.nanoTime();
        Session other = connect(ensemble.leader());

        while (other.exists("/own")) {
            pass(10_000_000);
        }

        // The follower reports its touches twice in a tick.
        assertThat((simulation.nanoTime() - heard) / 1_000_000).isBetween(TIMEOUT - 10L, TIMEOUT + TICK * 3 / 2 + 20L);
        pass(SECOND);
        assertThat(owner.peer.isClosed()).isTrue();
    }

    @Test
    void aNewLeaderGivesEachSessionItsWholeTimeout() {
        Session owner = connect(follower());
        owner.create("/own", CreateMode.EPHEMERAL);
        pass(TIMEOUT * 1_000_000L - 300_000_000);
        int left = ensemble.leader();
        ensemble.crash(left);
        pass(1_500_000_000);
        assertThat(ensemble.leader()).isNotEqualTo(left).isNotNegative();

        Session again = new Session(ensemble.leader(), owner.granted.getSessionId(), 0);

        assertThat(again.granted.getTimeOut()).isEqualTo(TIMEOUT);
        assertThat(again.exists("/own")).isTrue();
    }

    @Test
    void aServerRefusesAClientThatHasSeenMore() {
        Session writer = connect(ensemble.leader());
        int follower = follower();
        ensemble.lag(follower, simulation.nanoTime() + SECOND);
        long seen = writer.create("/new", CreateMode.PERSISTENT).header().getZxid();
        ModeledPeer peer = new ModeledPeer(simulation, ensemble, "client", follower);

        peer.send(null, new ConnectRequest(0, seen, TIMEOUT, writer.granted.getSessionId(), new byte[16], false));
        pass(SECOND / 2);

        assertThat(peer.isClosed()).isTrue();
    }

    @Test
    void aLeaderRefusesASessionThatHasMoved() {
        Session before = connect(follower());
        Session after = new Session(ensemble.leader(), before.granted.getSessionId(), 0);
        before.peer.send(
                new RequestHeader(1, OpCode.create2),
                new CreateRequest("/late", new byte[0], List.of(), CreateMode.PERSISTENT.toFlag()));

        pass(SECOND / 2);

        assertThat(before.peer.isClosed()).isTrue();
        assertThat(after.exists("/late")).isFalse();
    }

    /** Creates nodes one after the other, and connects again after each problem. */
    private static final class Writer {
        private final Simulation simulation;
        private final Ensemble ensemble;
        private final String name;
        private final List<String> acknowledged = new ArrayList<>();
        private @Nullable ServerConnection connection;
        private int number;

        Writer(Simulation simulation, Ensemble ensemble, String name) {
            this.simulation = simulation;
            this.ensemble = ensemble;
            this.name = name;
            connect();
        }

        private void connect() {
            if (connection != null) {
                connection.close();
            }
            int attempt = ++number;
            connection = ensemble.connect(name, simulation.random().nextInt(ensemble.size()), new EnsembleClient() {
                @Override
                public void opened() {
                    connection.send(null, new ConnectRequest(0, 0, 60_000, 0, new byte[16], false));
                }

                @Override
                public void received(@Nullable ReplyHeader header, @Nullable Record body) {
                    if (body instanceof Create2Response created) {
                        acknowledged.add(
                                created.getPath() + " " + created.getStat().getCzxid());
                    }
                    create(attempt);
                }

                @Override
                public void closed() {
                    after(SECOND / 10, attempt);
                }
            });
            after(3 * SECOND, attempt);
        }

        private void create(int attempt) {
            simulation.at(simulation.nanoTime() + SECOND / 50, () -> {
                if (attempt == number) {
                    int mode = CreateMode.PERSISTENT_SEQUENTIAL.toFlag();
                    connection.send(
                            new RequestHeader(1, OpCode.create2),
                            new CreateRequest("/" + name + "-", new byte[0], List.of(), mode));
                }
            });
        }

        private void after(long nanos, int attempt) {
            simulation.at(simulation.nanoTime() + nanos, () -> {
                if (attempt == number) {
                    connect();
                }
            });
        }
    }

    @Test
    void acknowledgedWritesSurviveFaults() {
        long writes = 0;
        for (long seed = 0; seed < 60; seed++) {
            Simulation run = new Simulation(seed, null);
            Network links = new Network(run, 300_000);
            Ensemble servers = new Ensemble(run, links, EnsembleSettings.of(TICK), 3);
            List<Writer> writers = List.of(new Writer(run, servers, "a"), new Writer(run, servers, "b"));
            RandomGenerator random = new SplittableRandom(seed);

            for (int i = 0; i < 20; i++) {
                strike(random, run, links, servers);
                run.run(run.nanoTime() + random.nextLong(2 * SECOND), () -> false);
            }
            IntStream.range(0, 3).forEach(server -> {
                servers.restart(server);
                servers.resume(server);
            });
            links.heal();
            run.run(run.nanoTime() + 10 * SECOND, () -> false);

            assertThat(servers.leader()).as("seed %s", seed).isNotNegative();
            Set<String> nodes = new HashSet<>(servers.nodesWithNumbers());
            for (Writer writer : writers) {
                assertThat(writer.acknowledged).as("seed %s", seed).allMatch(nodes::contains);
                writes += writer.acknowledged.size();
            }
        }
        assertThat(writes).isGreaterThan(1_000);
    }

    private static void strike(RandomGenerator random, Simulation run, Network links, Ensemble servers) {
        int server = random.nextInt(3);
        long until = run.nanoTime() + random.nextLong(5 * SECOND);
        switch (random.nextInt(7)) {
            case 0 -> servers.crash(server);
            case 1 -> servers.restart(server);
            case 2 -> servers.pause(server);
            case 3 -> servers.resume(server);
            case 4 -> servers.lag(server, until);
            case 5 -> servers.slowDisk(server, until);
            default -> links.hold(servers.name(server), servers.name((server + 1) % 3), until);
        }
    }
}
