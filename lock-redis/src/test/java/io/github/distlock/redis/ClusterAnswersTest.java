package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.github.distlock.LockOwner;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Nodes of a cluster that answer what no real ones answer on demand. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClusterAnswersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext context = new RecordingContext(client);
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicLong passed = new AtomicLong();
    private final Node.Shared shared = TestNodes.shared(
            TestNodes.context(new TestClock(passed), context), ServerConnection.Check.ALIVE, ReplicaPolicy.NONE);

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    /** What a node says of the cluster: the primary of all slots, and the present epoch. */
    private static final class View {
        private volatile String primary = "";
        private volatile long epoch = 1;
        /** The IP address of the primary, if the cluster prefers host names and the primary has none; or empty. */
        private volatile String ip = "";
        /** Whether the description of the primary ends before the list that has such an address. */
        private volatile boolean isShort;

        private volatile int lastSlot = 16_383;
    }

    /** A node that answers scripts as the test says. */
    private ScriptedServer node(View view, ScriptedServer.Behavior scripts) {
        ScriptedServer node = ScriptedServer.answering((asker, command) -> {
            switch (command.get(0)) {
                case "CLUSTER" -> describe(view, asker, command.get(1));
                case "EVALSHA" -> scripts.answer(asker, command);
                default -> asker.succeed(command);
            }
        });
        opened.add(node);
        return node;
    }

    private static void describe(View view, ScriptedServer.Client asker, String what) throws IOException {
        if (what.equals("INFO")) {
            String info = "cluster_state:ok\r\ncluster_current_epoch:" + view.epoch + "\r\n";
            asker.send("$" + info.length() + "\r\n" + info + "\r\n");
        } else {
            HostAndPort primary = HostAndPort.from(view.primary);
            String host = view.ip.isEmpty() && !view.isShort ? primary.getHost() : "?";
            String more = view.ip.isEmpty() ? "*0\r\n" : "*2\r\n$2\r\nip\r\n" + bulk(view.ip);
            asker.send("*1\r\n*3\r\n:0\r\n:" + view.lastSlot + "\r\n*" + (view.isShort ? 3 : 4) + "\r\n" + bulk(host)
                    + ":" + primary.getPort() + "\r\n" + bulk("id") + (view.isShort ? "" : more));
        }
    }

    private static String bulk(String text) {
        return "$" + text.length() + "\r\n" + text + "\r\n";
    }

    private static ScriptedServer.Behavior answering(String error) {
        return (asker, command) -> asker.send("-" + error + "\r\n");
    }

    private RedisBackend connect(ScriptedServer... seeds) {
        List<String> addresses = new ArrayList<>();
        for (ScriptedServer seed : seeds) {
            addresses.add(seed.address());
        }
        RedisBackend backend = RedisBackend.connect("redis-cluster://" + String.join(",", addresses));
        backend.start(context);
        opened.add(0, backend);
        return backend;
    }

    private static Attempt attempt(RedisBackend backend, Duration time) throws InterruptedException {
        LockRequest request = LockRequest.exclusive(
                        "job", Duration.ofSeconds(30), LockOwner.of("host", 7, "client", "thread"))
                .withoutWaiting();
        return backend.contend(request, new IgnoredSignals()).attempt(Deadline.after(time, LockClock.system()));
    }

    private static long scripts(ScriptedServer node) {
        return node.commands().stream()
                .filter(command -> command.get(0).equals("EVALSHA"))
                .count();
    }

    /** Adds a node that answers once all of these nodes are asked: answers count for 100 ms after the first one. */
    private ScriptedServer addNode(List<ScriptedServer> nodes, View view) {
        ScriptedServer node = ScriptedServer.answering((asker, command) -> {
            if (command.get(0).equals("CLUSTER")) {
                Waiting.await("all are asked", PATIENCE, () -> nodes.stream().allMatch(ClusterAnswersTest::isAsked));
                describe(view, asker, command.get(1));
            } else {
                asker.succeed(command);
            }
        });
        opened.add(node);
        nodes.add(node);
        return node;
    }

    private static boolean isAsked(ScriptedServer node) {
        return node.commands().stream().anyMatch(command -> command.get(0).equals("CLUSTER"));
    }

    @Test
    void s1_theMapWithTheGreatestEpochCounts() throws InterruptedException {
        View late = new View();
        View newest = new View();
        List<ScriptedServer> nodes = new CopyOnWriteArrayList<>();
        ScriptedServer former = addNode(nodes, late);
        ScriptedServer present = addNode(nodes, newest);
        late.primary = former.address();
        newest.primary = present.address();
        newest.epoch = 2;

        assertInstanceOf(Attempt.Granted.class, attempt(connect(former, present), PATIENCE));

        assertEquals(0, scripts(former));
        assertEquals(1, scripts(present));
    }

    @Test
    void v2_aRedirectionIsFollowedAtOnce() throws InterruptedException {
        View view = new View();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ScriptedServer source = node(view, answering("MOVED 1 " + target.address()));
        view.primary = source.address();
        RedisBackend backend = connect(source);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertThat(scripts(target)).isPositive();
    }

    @Test
    void v2_aNodeWithoutAHostNameIsSoughtAtItsIpAddress() {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        view.ip = "127.0.0.9";
        RedisBackend backend = connect(node);

        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining("127.0.0.9");
    }

    @Test
    void v2_aNodeWithoutAHostNameAndAnIpAddressIsSoughtWhereTheClusterWasAsked() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        view.isShort = true;

        assertInstanceOf(Attempt.Granted.class, attempt(connect(node), PATIENCE));
    }

    @Test
    void v2_aRedirectionToAnotherHostIsFollowedThere() {
        View view = new View();
        String elsewhere = "127.0.0.9";
        ScriptedServer source = node(view, answering("MOVED 1 " + elsewhere + ":7"));
        view.primary = source.address();
        RedisBackend backend = connect(source);

        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining(elsewhere);
    }

    @Test
    void v2_aNodeThatIsDeadIsLeftWithinARequestIfTheMapNamesAnotherOne() throws InterruptedException {
        View view = new View();
        ScriptedServer next = node(view, ScriptedServer.Client::succeed);
        ScriptedServer dead = node(view, ScriptedServer.Client::succeed);
        view.primary = dead.address();
        RedisBackend backend = connect(dead, next);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        long begin = System.nanoTime();
        Waiting.await(
                "the nodes may be asked again",
                PATIENCE,
                () -> System.nanoTime() - begin > TimeUnit.MILLISECONDS.toNanos(200));

        view.primary = next.address();
        dead.close();

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertEquals(1, scripts(next));
    }

    @Test
    void v2_theLastSlotOfARangeBelongsToIt() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        view.lastSlot = JedisClusterCRC16.getSlot("distlock:job");
        assertThat(view.lastSlot).isNotEqualTo(16_383);

        assertInstanceOf(Attempt.Granted.class, attempt(connect(node), PATIENCE));
    }

    @Test
    void v2_aRedirectionWithoutAHostNameHasTheMapAskedFor() throws InterruptedException {
        View view = new View();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ScriptedServer source = node(view, (asker, command) -> {
            view.primary = target.address();
            asker.send("-MOVED 1 ?:" + HostAndPort.from(target.address()).getPort() + "\r\n");
        });
        view.primary = source.address();

        assertInstanceOf(Attempt.Granted.class, attempt(connect(source), PATIENCE));

        assertEquals(1, scripts(target));
    }

    @Test
    void v2_aSlotThatMovesIsAskedForAtItsTarget() throws InterruptedException {
        View view = new View();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ScriptedServer source = node(view, answering("ASK 1 " + target.address()));
        view.primary = source.address();
        RedisBackend backend = connect(source);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertEquals(2, scripts(source), "the slot is still the source's");
        List<String> sent = target.commands().stream()
                .map(command -> command.get(0))
                .filter(command -> !command.equals("PING"))
                .toList();
        assertThat(sent).containsExactly("ASKING", "EVALSHA", "ASKING", "EVALSHA");
    }

    /** Adds two nodes. The first one is asked first, and each redirects to the other one once that is wanted. */
    private List<ScriptedServer> redirecting(View view, AtomicBoolean redirect) {
        List<ScriptedServer> nodes = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            nodes.add(node(view, (asker, command) -> {
                if (redirect.get()) {
                    asker.send("-MOVED 1 " + nodes.get(other).address() + "\r\n");
                } else {
                    asker.succeed(command);
                }
            }));
        }
        view.primary = nodes.get(0).address();
        return nodes;
    }

    @Test
    void v4_nodesThatRedirectToEachOtherAreNoRefusal() {
        List<ScriptedServer> nodes = redirecting(new View(), new AtomicBoolean(true));
        RedisBackend backend = connect(nodes.get(0));

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isNotInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("MOVED 1");

        assertEquals(1 + 8, scripts(nodes.get(0)) + scripts(nodes.get(1)));
    }

    @Test
    void v4_aBatchThatNodesRedirectToEachOtherHasNoOutcome() throws InterruptedException {
        AtomicBoolean redirect = new AtomicBoolean();
        List<ScriptedServer> nodes = redirecting(new View(), redirect);
        RedisBackend backend = connect(nodes.get(0));
        Grant held = ((Attempt.Granted) attempt(backend, PATIENCE)).grant();
        long before = scripts(nodes.get(0));
        redirect.set(true);

        assertThat(backend.releaseAll(List.of(held), Deadline.after(PATIENCE, LockClock.system())))
                .isEmpty();

        assertEquals(1 + 8, scripts(nodes.get(0)) - before + scripts(nodes.get(1)));
        List<Object> answers = TestContender.renewAll(backend, List.of(held), Duration.ofSeconds(30));
        assertThat(answers).singleElement().isInstanceOf(JedisConnectionException.class);
    }

    @Test
    void v4_aRedirectionWithoutTimeLeftIsNoRefusal() throws InterruptedException {
        View view = new View();
        ScriptedServer target = node(view, (asker, command) -> {
            Waiting.letPass(Duration.ofMillis(500));
            asker.succeed(command);
        });
        ScriptedServer source = node(view, (asker, command) -> {
            Waiting.letPass(Duration.ofMillis(495));
            asker.send("-MOVED 1 " + target.address() + "\r\n");
        });
        view.primary = source.address();
        RedisBackend backend = connect(source);

        Throwable failure = catchThrowable(() -> attempt(backend, Duration.ofMillis(500)));

        assertThat(failure).isNotInstanceOf(RequestRefusedException.class);
    }

    @Test
    void v2_aNodeThatIsDownIsLeftOnceTheMapNamesAnotherOne() throws InterruptedException {
        View view = new View();
        ScriptedServer next = node(view, ScriptedServer.Client::succeed);
        ScriptedServer failing = node(view, (asker, command) -> {
            view.primary = next.address();
            asker.send("-CLUSTERDOWN The cluster is down\r\n");
        });
        view.primary = failing.address();
        RedisBackend backend = connect(failing);

        Waiting.await("the other node serves the lock", PATIENCE, () -> succeeds(backend));

        assertThat(context.lostConnections()).contains(HostAndPort.from(next.address()));
    }

    @Test
    void v6_aNodeThatHasLostItsSlotsKeepsNoConnection() throws InterruptedException {
        View view = new View();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ScriptedServer source = node(view, (asker, command) -> {
            view.primary = target.address();
            asker.send("-MOVED 1 " + target.address() + "\r\n");
        });
        view.primary = source.address();
        RedisBackend backend = connect(source);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the map is asked for again", PATIENCE, () -> {
            boolean granted = succeeds(backend);
            return granted && source.ended() == source.connections();
        });
    }

    private static boolean succeeds(RedisBackend backend) {
        try {
            return attempt(backend, Duration.ofSeconds(1)) instanceof Attempt.Granted;
        } catch (InterruptedException | RuntimeException e) {
            return false;
        }
    }

    @Test
    void v4_seedsThatAreDeadOrSilentDelayNoRequest() throws Exception {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        ScriptedServer dead = node(view, ScriptedServer.Client::succeed);
        dead.close();
        CountDownLatch end = new CountDownLatch(1);
        ScriptedServer silent = new ScriptedServer(asker -> {
            try {
                var unused = end.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        opened.add(silent);

        assertInstanceOf(Attempt.Granted.class, attempt(connect(dead, silent, node), Duration.ofMillis(900)));

        end.countDown();
    }

    @Test
    void api_aServerThatIsNoClusterIsNamed() {
        ScriptedServer single = ScriptedServer.answering((asker, command) -> {
            if (command.get(0).equals("CLUSTER")) {
                asker.send("-ERR This instance has cluster support disabled\r\n");
            } else {
                asker.succeed(command);
            }
        });
        opened.add(single);
        RedisBackend backend = connect(single);

        assertThatThrownBy(() -> attempt(backend, Duration.ofSeconds(1)))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("cluster support disabled")
                .hasMessageContaining(single.address());
    }

    @Test
    void v5_closingEndsAllConnectionsAndThreads() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        RedisBackend backend = connect(node);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        backend.close();

        Waiting.await("no connection is left", PATIENCE, () -> node.ended() == node.connections());
        Waiting.await(
                "no thread is left",
                PATIENCE,
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("distlock-" + client)));
        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining("closed");
    }

    // Without a backend

    /** Makes a cluster, for which time passes as the test says. */
    private ClusterNodes cluster(ScriptedServer... seeds) {
        return new ClusterNodes(addresses(seeds), shared);
    }

    private static List<HostAndPort> addresses(ScriptedServer... servers) {
        return Stream.of(servers).map(ClusterAnswersTest::address).toList();
    }

    private static HostAndPort address(ScriptedServer server) {
        return HostAndPort.from(server.address());
    }

    private OwnConnections connections(ScriptedServer... seeds) {
        OwnConnections connections = TestNodes.connections(nodes -> new ClusterNodes(addresses(seeds), nodes), shared);
        opened.add(0, connections);
        return connections;
    }

    private static Deadline deadline() {
        return Deadline.after(PATIENCE, LockClock.system());
    }

    private static LockKeys keys(String name) {
        return LockKeys.of(name, same -> same, "distlock:");
    }

    @Test
    void api_aClusterNamesTheServersThatKeepLocks() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        LockKeys kept = keys("job");
        LockKeys other = keys("other");
        view.lastSlot = JedisClusterCRC16.getSlot(kept.lock());
        assertThat(JedisClusterCRC16.getSlot(other.lock())).isGreaterThan(view.lastSlot);
        OwnConnections connections = connections(node);
        assertEquals("", connections.server(kept), "nothing is known yet");

        Connections.Server only = connections.servers(deadline()).get(0);

        assertEquals(node.address(), only.address());
        assertThat(only.failsOver()).isTrue();
        assertThat(only.keeps(kept.lock())).isTrue();
        assertThat(only.keeps(other.lock())).isFalse();
        assertThat(only.ask(List.of(List.of("PING"), List.of("CONFIG")), deadline()))
                .hasSize(2);
        assertEquals(address(node), connections.server(kept));
        assertThat(connections.isOneServer()).isFalse();
        assertThat(connections.followsFailovers()).isTrue();
        assertThat(connections).hasToString("the cluster of [" + node.address() + "]");
    }

    @Test
    void api_theKnownServersAreNamedIfNoneAnswers() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        OwnConnections connections = connections(node);
        assertThat(connections.servers(deadline())).hasSize(1);
        node.close();
        passed.addAndGet(TimeUnit.SECONDS.toNanos(1));

        assertThat(connections.servers(deadline())).hasSize(1);
    }

    @Test
    void api_aClusterThatDoesNotAnswerHasNoServers() {
        ScriptedServer node = node(new View(), ScriptedServer.Client::succeed);
        node.close();
        OwnConnections connections = connections(node);

        assertThatThrownBy(() -> connections.servers(deadline())).hasMessageContaining("cannot connect to");
        connections.close();
        assertThatThrownBy(() -> connections.servers(deadline())).hasMessage(OwnConnections.CLOSED);
    }

    @Test
    void v2_aSubscriptionHasTheClusterAskedForItsNodes() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        ClusterNodes cluster = cluster(node);
        opened.add(0, cluster);

        assertThat(cluster.any(deadline())).hasToString(node.address());
        assertThat(cluster.any(deadline())).hasToString(node.address());
    }

    /** The question to the silent node does not end by itself, because the clock of the connections stands still. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v5_noConnectionIsLeftAlthoughANodeIsAsked(boolean closing) throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        ScriptedServer silent = ScriptedServer.answering((asker, command) -> {});
        opened.add(silent);
        OwnConnections connections = connections(node, silent);
        assertThat(connections.call(new ScriptCall(Script.INSPECT, keys("job")), deadline()))
                .hasSize(1);
        Waiting.await("it is asked", PATIENCE, () -> !silent.commands().isEmpty());
        assertThat(silent.ended()).isZero();

        if (closing) {
            connections.close();
        } else {
            connections.disconnect();
        }

        for (ScriptedServer each : List.of(node, silent)) {
            Waiting.await("no connection is left", PATIENCE, () -> each.ended() == each.connections());
        }
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.9, 127.0.0.9", "'', 127.0.0.1"})
    void v2_aRedirectionWithoutAHostLeadsToTheHostOfItsNode(String named, String expected) throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        ClusterNodes cluster = cluster(node);
        opened.add(0, cluster);
        byte[] key = keys("job").lock();
        JedisMovedDataException moved = new JedisMovedDataException("MOVED", new HostAndPort(named, 7), 1);

        Topology.Route next = cluster.afterFailure(cluster.route(key, deadline()), key, moved, deadline());

        assertThat(next).isNotNull();
        assertEquals(new HostAndPort(expected, 7), next.node().address());
    }

    @ParameterizedTest
    @CsvSource({"false, 5", "true, 0"})
    void s1_aMapHasTheEpochOfItsNodeIfThatSaysIt(boolean refused, long expected) {
        View view = new View();
        view.epoch = 5;
        view.primary = "127.0.0.1:7";
        ScriptedServer node = ScriptedServer.answering((asker, command) -> {
            if (refused && command.get(1).equals("INFO")) {
                asker.send("-NOPERM no permissions to run the 'cluster|info' command\r\n");
            } else {
                describe(view, asker, command.get(1));
            }
        });
        opened.add(node);

        try (Connection connection = new Connection(address(node))) {
            assertEquals(expected, ClusterNodes.ask(connection, address(node)).epoch());
        }
    }

    @Test
    void v5_aNodeThatBecomesKnownAfterTheEndGetsNoRequest() throws InterruptedException {
        View view = new View();
        ScriptedServer node = node(view, ScriptedServer.Client::succeed);
        view.primary = node.address();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ClusterNodes cluster = cluster(node);
        byte[] key = keys("job").lock();
        Topology.Route former = cluster.route(key, deadline());
        cluster.close();

        Topology.Route next =
                cluster.afterFailure(former, key, new JedisMovedDataException("MOVED", address(target), 1), deadline());

        assertThat(next).isNotNull();
        assertThatThrownBy(() -> next.node().ask(List.of(JedisCalls.command(List.of("PING"))), deadline()))
                .hasMessage(OwnConnections.CLOSED);
    }

    @Test
    void v2_aRangeHasItsFirstAndItsLastSlot() {
        byte[] key = keys("job").lock();
        int slot = JedisClusterCRC16.getSlot(key);
        HostAndPort any = new HostAndPort("127.0.0.1", 1);

        assertThat(new ClusterNodes.Range(slot, slot, any).contains(key)).isTrue();
        assertThat(new ClusterNodes.Range(slot + 1, 16_383, any).contains(key)).isFalse();
        assertThat(new ClusterNodes.Range(0, slot - 1, any).contains(key)).isFalse();
    }

    @Test
    void v2_aBatchForASlotThatMovesIsAnsweredByItsTarget() throws InterruptedException {
        View view = new View();
        AtomicBoolean moves = new AtomicBoolean();
        ScriptedServer target = node(view, ScriptedServer.Client::succeed);
        ScriptedServer source = node(view, (asker, command) -> {
            if (moves.get()) {
                asker.send("-ASK 1 " + target.address() + "\r\n");
            } else {
                asker.succeed(command);
            }
        });
        view.primary = source.address();
        RedisBackend backend = connect(source);
        Duration lease = Duration.ofSeconds(30);
        Grant one = TestContender.trying(backend, "one", lease).acquire();
        Grant other = TestContender.trying(backend, "other", lease).acquire();
        moves.set(true);

        List<Object> answers = TestContender.renewAll(backend, List.of(one, other), lease);

        assertThat(answers).hasOnlyElementsOfType(Validity.class).hasSize(2);
        assertThat(target.commands())
                .extracting(command -> command.get(0))
                .containsSequence("ASKING", "EVALSHA", "ASKING", "EVALSHA");
    }
}
