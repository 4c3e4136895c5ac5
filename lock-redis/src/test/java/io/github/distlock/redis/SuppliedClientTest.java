package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.executors.CommandExecutor;
import redis.clients.jedis.providers.PooledConnectionProvider;
import redis.clients.jedis.util.JedisClusterCRC16;
import redis.clients.jedis.util.Pool;

/** Caller-supplied clients of servers that misbehave. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SuppliedClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final RecordingContext engine = new RecordingContext("supplied client");
    private final RedisContext context = TestNodes.context(LockClock.system(), engine);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private ScriptedServer serve(ScriptedServer.Behavior behavior) {
        ScriptedServer server = ScriptedServer.answering((asker, command) -> {
            if (command.get(0).equals("HELLO")) {
                asker.send("-ERR unknown command 'HELLO'\r\n");
            } else {
                behavior.answer(asker, command);
            }
        });
        opened.add(server);
        return server;
    }

    private RedisClient client(ScriptedServer server, int mostConnections) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(mostConnections);
        RedisClient client = RedisClient.builder()
                .hostAndPort(HostAndPort.from(server.address()))
                .clientConfig(config())
                .poolConfig(pool)
                .build();
        opened.add(0, client);
        return client;
    }

    /** Makes a client whose pool is not visible. */
    @SuppressWarnings("deprecation") // Applications still make such clients.
    private UnifiedJedis hiding(ScriptedServer server) {
        UnifiedJedis client = new UnifiedJedis(
                new PooledConnectionProvider(HostAndPort.from(server.address()), config()), 1, Duration.ofSeconds(1));
        opened.add(0, client);
        return client;
    }

    private static DefaultJedisClientConfig config() {
        return DefaultJedisClientConfig.builder()
                .timeoutMillis((int) PATIENCE.multipliedBy(2).toMillis())
                .build();
    }

    private SuppliedClient supplied(UnifiedJedis client) {
        SuppliedClient supplied = new SuppliedClient(client, context, new Script.Settings(Publisher.SCRIPT, 3_600_000));
        opened.add(0, supplied);
        return supplied;
    }

    private static ScriptCall call(Script script) {
        return new ScriptCall(script, keys("job"));
    }

    private static LockKeys keys(String name) {
        return LockKeys.of(name, same -> same, "distlock:");
    }

    private static List<ScriptCall> calls(int count) {
        return Stream.generate(() -> call(Script.INSPECT)).limit(count).toList();
    }

    private static Deadline deadline() {
        return Deadline.after(PATIENCE, LockClock.system());
    }

    private static boolean isScript(List<String> command) {
        return command.get(0).startsWith("EVAL");
    }

    private static long scripts(ScriptedServer server) {
        return server.commands().stream().filter(SuppliedClientTest::isScript).count();
    }

    // What the client is

    @Test
    void api_aClientWithAVisiblePoolHasOneServerAndRepeatsNothing() {
        SuppliedClient visible = supplied(client(serve(ScriptedServer.Client::succeed), 8));
        SuppliedClient hidden = supplied(hiding(serve(ScriptedServer.Client::succeed)));

        assertThat(visible.isOneServer()).isTrue();
        assertThat(visible.sendsAgain()).isFalse();
        assertThat(hidden.isOneServer()).isFalse();
        assertThat(hidden.sendsAgain()).isTrue();
        assertThat(hidden.canListen()).isTrue();
        assertThat(visible.followsFailovers()).isFalse();
        assertEquals("", visible.server(keys("job")));
        assertThat(visible).hasToString("the caller-supplied client");
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, true", "-1, true"})
    void v5_aSubscriptionNeedsTwoConnections(int most, boolean expected) {
        SuppliedClient supplied = supplied(client(serve(ScriptedServer.Client::succeed), most));

        assertEquals(expected, supplied.canListen());
    }

    @Test
    void v2_aClientThatLendsNoConnectionIsReportedOnce() throws InterruptedException {
        UnifiedJedis client = new NoConnections();
        opened.add(client);
        SuppliedClient supplied = supplied(client);

        List<String> warnings = BackendWarnings.during("lends no connection", () -> {
            assertThat(supplied.canListen()).isFalse();
            assertThat(supplied.canListen()).isFalse();
        });

        assertThat(warnings).hasSize(1);
    }

    /** Shows no connection. */
    private static class NoConnections extends UnifiedJedis {
        NoConnections() {
            super(new NoServer(), null, RedisProtocol.RESP2, null);
        }
    }

    /** Shows its pools alone, as the clients of a cluster do. */
    static final class ShownPools extends NoConnections {
        private final Map<String, Pool<Connection>> pools = new HashMap<>();

        public Map<String, Pool<Connection>> getClusterNodes() {
            return pools;
        }
    }

    @Test
    void v2_aClientThatShowsItsPoolsLendsConnectionsOfThem() {
        RedisClient client = client(serve(ScriptedServer.Client::succeed), 8);
        ShownPools shown = new ShownPools();
        opened.add(shown);
        shown.pools.put("server", client.getPool());
        Supplier<Connection> lender = SuppliedPool.lender(shown);

        assertThat(lender).isNotNull();
        try (Connection lent = lender.get()) {
            assertThat(lent.ping()).isTrue();
        }
        assertEquals(1, client.getPool().getNumIdle());
        shown.pools.clear();
        assertThatThrownBy(lender::get)
                .isInstanceOf(JedisConnectionException.class)
                .hasMessageContaining("knows no server");
    }

    @Test
    void api_theClientOfSentinelsHasAVisiblePool() throws InterruptedException {
        ScriptedServer primary = serve(ScriptedServer.Client::succeed);
        HostAndPort address = HostAndPort.from(primary.address());
        ScriptedServer sentinel = serve((asker, command) -> {
            String port = String.valueOf(address.getPort());
            switch (command.get(0)) {
                case "SENTINEL" -> asker.send("*2\r\n$9\r\n127.0.0.1\r\n$" + port.length() + "\r\n" + port + "\r\n");
                case "SUBSCRIBE" -> asker.send("*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n");
                default -> asker.succeed(command);
            }
        });
        RedisSentinelClient client = RedisSentinelClient.builder()
                .masterName("locks")
                .sentinels(Set.of(HostAndPort.from(sentinel.address())))
                .clientConfig(config())
                .sentinelClientConfig(config())
                .build();
        opened.add(0, client);
        SuppliedClient supplied = supplied(client);

        assertThat(supplied.isOneServer()).isTrue();
        assertThat(supplied.call(call(Script.INSPECT), deadline())).hasSize(1);
        assertThat(supplied.servers(deadline()).get(0).failsOver()).isTrue();
    }

    private static final class NoServer implements CommandExecutor {
        @Override
        public <T> T executeCommand(CommandObject<T> command) {
            throw new JedisException("there is no server");
        }

        @Override
        public void close() {}
    }

    // Servers

    @Test
    void api_aClientOfOneServerNamesIt() throws InterruptedException {
        ScriptedServer server = serve((asker, command) -> {
            if (command.equals(List.of("CLIENT", "INFO"))) {
                asker.send("$21\r\nid=1 laddr=10.0.0.7:6\r\n");
            } else {
                asker.succeed(command);
            }
        });
        SuppliedClient supplied = supplied(client(server, 8));

        Connections.Server only = supplied.servers(deadline()).get(0);

        assertEquals("10.0.0.7:6", only.address());
        assertThat(only.failsOver()).isFalse();
        assertThat(only.ask(List.of(List.of("PING"), List.of("CONFIG")), deadline()))
                .hasSize(2);
    }

    /** Makes a client of a cluster. The first server has the slots up to that of the lock. */
    private RedisClusterClient cluster(ScriptedServer.Behavior scripts) {
        List<HostAndPort> address = new ArrayList<>();
        int last = JedisClusterCRC16.getSlot(keys("job").lock());
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command)) {
                scripts.answer(asker, command);
            } else if (command.equals(List.of("CLUSTER", "SLOTS"))) {
                asker.send("*2\r\n" + range(0, last, address.get(0))
                        + range(last + 1, 16_383, new HostAndPort("127.0.0.9", 7)));
            } else if (command.get(0).equals("CLUSTER")) {
                asker.send("$16\r\ncluster_state:ok\r\n");
            } else {
                asker.succeed(command);
            }
        });
        address.add(HostAndPort.from(server.address()));
        RedisClusterClient client = RedisClusterClient.builder()
                .nodes(Set.copyOf(address))
                .clientConfig(config())
                .build();
        opened.add(0, client);
        return client;
    }

    @Test
    void api_aClientOfAClusterNamesItsPrimaries() throws InterruptedException {
        SuppliedClient supplied = supplied(cluster(ScriptedServer.Client::succeed));

        Connections.Server first = supplied.servers(deadline()).get(0);

        assertThat(first.address()).startsWith("127.0.0.1:");
        assertThat(first.failsOver()).isTrue();
        assertThat(first.keeps(keys("job").lock())).isTrue();
        assertThat(first.keeps(keys("other").lock())).isFalse();
    }

    private static String range(int first, int last, HostAndPort primary) {
        String host = primary.getHost();
        return "*3\r\n:" + first + "\r\n:" + last + "\r\n*3\r\n$" + host.length() + "\r\n" + host + "\r\n:"
                + primary.getPort() + "\r\n$2\r\nid\r\n";
    }

    // Failures

    @Test
    void v8_aBatchWhoseConnectionBreaksIsSentAgainAndHoldsAreRenewed() throws InterruptedException {
        AtomicInteger scripts = new AtomicInteger();
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command) && scripts.incrementAndGet() == 1) {
                asker.close();
            } else {
                asker.succeed(command);
            }
        });
        SuppliedClient supplied = supplied(client(server, 8));
        List<ScriptCall> calls = calls(3);

        List<Object> replies = supplied.callAll(calls, deadline());

        assertThat(replies).hasSize(3).hasOnlyElementsOfType(List.class);
        assertThat(calls).allMatch(ScriptCall::wasSentAgain);
        assertThat(engine.lostConnections()).isNotEmpty().containsOnly("");
    }

    /** The requests are longer than all buffers of a connection. Jedis does not tell what a pipeline finds later. */
    @Test
    void v8_holdsAreRenewedAfterANodeOfAClusterHasClosedAConnectionDuringABatch() throws InterruptedException {
        AtomicInteger scripts = new AtomicInteger();
        SuppliedClient supplied = supplied(cluster((asker, command) -> {
            if (scripts.incrementAndGet() == 1) {
                asker.close();
            } else {
                asker.succeed(command);
            }
        }));
        String much = "x".repeat(100_000);
        List<ScriptCall> calls = Stream.generate(() -> new ScriptCall(Script.INSPECT, keys("job"), much))
                .limit(100)
                .toList();

        List<Object> replies = supplied.callAll(calls, deadline());

        assertThat(replies).hasSize(100);
        assertThat(engine.lostConnections()).isNotEmpty().containsOnly("");
    }

    @Test
    void s7_aBatchIsNotSentAgainAfterItsDeadline() throws InterruptedException {
        AtomicLong time = new AtomicLong();
        AtomicInteger again = new AtomicInteger();
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command)) {
                again.addAndGet(asker.number);
                time.addAndGet(PATIENCE.toNanos());
                asker.close();
            } else {
                asker.succeed(command);
            }
        });
        SuppliedClient supplied = supplied(client(server, 8));

        List<Object> replies = supplied.callAll(calls(3), Deadline.after(PATIENCE, new TestClock(time)));

        assertThat(replies).hasSize(3).hasOnlyElementsOfType(JedisException.class);
        assertThat(replies).first().asString().contains("not sent in time");
        assertEquals(0, again.get(), "over the first connection only");
    }

    @Test
    void v2_aBatchToADeadServerHasNoAnswers() throws InterruptedException {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        SuppliedClient supplied = supplied(client(server, 8));
        server.close();

        List<Object> replies = supplied.callAll(calls(2), deadline());

        assertThat(replies).hasSize(2).hasOnlyElementsOfType(JedisException.class);
    }

    @Test
    void v8_anErrorInABatchConcernsItsRequestAlone() throws InterruptedException {
        AtomicInteger scripts = new AtomicInteger();
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command) && scripts.incrementAndGet() == 2) {
                asker.send("-ERR it fails\r\n");
            } else {
                asker.succeed(command);
            }
        });

        List<Object> replies = supplied(client(server, 8)).callAll(calls(3), deadline());

        assertThat(replies.get(0)).isInstanceOf(List.class);
        assertThat(replies.get(1)).isInstanceOf(ErrorReply.class);
        assertThat(replies.get(2)).isInstanceOf(List.class);
        assertEquals(3, scripts(server));
    }

    @Test
    void v8_aRedirectionInABatchIsFollowedByTheClient() throws InterruptedException {
        AtomicInteger scripts = new AtomicInteger();
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command) && scripts.incrementAndGet() <= 5) {
                asker.send("-MOVED 1 127.0.0.1:7\r\n");
            } else {
                asker.succeed(command);
            }
        });

        List<Object> replies = supplied(client(server, 8)).callAll(calls(2), deadline());

        // This client follows none: two requests together, the first one alone, the other one in a batch, then both.
        assertThat(replies).hasSize(2);
        assertEquals(6, scripts(server));
        assertThat(replies.get(0)).isInstanceOf(RuntimeException.class);
        assertThat(replies.get(1)).isInstanceOf(List.class);
    }

    // Messages and the end

    @Test
    void v2_theClientPublishesMessages() throws InterruptedException {
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command)) {
                asker.replyToScript(command, "*2\r\n$7\r\nchannel\r\n$7\r\nmessage\r\n");
            } else if (command.get(0).equals("PUBLISH")) {
                asker.send(":1\r\n");
            } else {
                asker.succeed(command);
            }
        });
        SuppliedClient supplied = supplied(client(server, 8));
        ScriptCall call = call(Script.INSPECT);
        assertThat(supplied.call(call, deadline())).isEmpty();

        supplied.publish(call, deadline());

        Waiting.await(
                "the message is published",
                PATIENCE,
                () -> server.commands().contains(List.of("PUBLISH", "channel", "message")));
        supplied.close();
        supplied.publish(call, deadline());
    }

    @Test
    void v5_nothingIsSentAfterTheEnd() {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        SuppliedClient supplied = supplied(client(server, 8));

        supplied.close();

        assertThatThrownBy(() -> supplied.call(call(Script.INSPECT), deadline()))
                .hasMessageContaining(OwnConnections.CLOSED);
        assertThatThrownBy(() -> supplied.callAll(calls(1), deadline())).hasMessageContaining(OwnConnections.CLOSED);
        assertEquals(0, scripts(server));
    }
}
