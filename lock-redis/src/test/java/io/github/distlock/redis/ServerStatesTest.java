package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.providers.PooledConnectionProvider;
import redis.clients.jedis.util.Pool;

/**
 * What contenders are answered by a server that refuses requests for some time: over the backend's own connections, and
 * over caller-supplied clients with a visible pool and without one.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class ServerStatesTest {
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final List<LockMode> MODES =
            List.of(LockMode.EXCLUSIVE, LockMode.READ, LockMode.WRITE, LockMode.permits(2, 3));

    private static RedisServer server;
    private static Thread endlessScript = new Thread();
    private static RedisClient admin;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() {
        // No snapshot can be written to a file without a name.
        server = RedisServer.start("dbfilename \"\"", "lua-time-limit 100");
        admin = RedisClient.create(server.uri());
    }

    @AfterAll
    static void stop() {
        admin.close();
        server.close();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        admin.flushAll();
    }

    @CanIgnoreReturnValue
    private static Object send(RedisClient client, String... words) {
        CommandArguments call = new CommandArguments(() -> words[0].getBytes(StandardCharsets.US_ASCII));
        call.addObjects(Stream.of(words).skip(1).toArray());
        return client.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    private static void administer(String... words) {
        send(admin, words);
    }

    private static void configure(String setting, String value) {
        administer("CONFIG", "SET", setting, value);
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }

    private static boolean answersWith(String words) {
        try {
            return admin.ping().equals(words);
        } catch (JedisDataException e) {
            return String.valueOf(e.getMessage()).startsWith(words);
        }
    }

    /** States that pass, by the word with which the server refuses requests. */
    private enum State {
        READONLY {
            @Override
            void begin() {
                administer("REPLICAOF", "127.0.0.1", "1");
            }

            @Override
            void end() {
                administer("REPLICAOF", "NO", "ONE");
            }
        },
        MASTERDOWN {
            @Override
            void begin() {
                configure("replica-serve-stale-data", "no");
                READONLY.begin();
            }

            @Override
            void end() {
                READONLY.end();
                configure("replica-serve-stale-data", "yes");
            }
        },
        NOREPLICAS {
            @Override
            void begin() {
                configure("min-replicas-to-write", "1");
            }

            @Override
            void end() {
                configure("min-replicas-to-write", "0");
            }
        },
        MISCONF {
            @Override
            void begin() {
                configure("save", "3600 1000000");
                administer("BGSAVE");
                await("a snapshot has failed", () -> admin.info("persistence").contains("rdb_last_bgsave_status:err"));
            }

            @Override
            void end() {
                configure("save", "");
            }
        },
        BUSY {
            @Override
            void begin() {
                endlessScript = new Thread(State::runForever);
                endlessScript.start();
                await("the server is busy", () -> answersWith("BUSY"));
            }

            @Override
            void end() {
                administer("SCRIPT", "KILL");
                await("the script has ended", () -> !endlessScript.isAlive());
                // The server may still refuse what arrives together with the end of the script.
                await("the server is no longer busy", () -> answersWith("PONG"));
            }
        };

        abstract void begin();

        abstract void end();

        private static void runForever() {
            try (RedisClient client = RedisClient.create(server.uri())) {
                var unused = client.eval("while true do end");
            } catch (JedisException e) {
                // The client has given up, or the script was killed.
            }
        }
    }

    private List<RedisBackend> backends() {
        RedisClient pool = RedisClient.create(server.uri());
        UnifiedJedis hidden =
                ContenderTest.repeatingClient(new PooledConnectionProvider(HostAndPort.from(server.address())));
        List<RedisBackend> backends =
                List.of(RedisBackend.connect(server.uri()), RedisBackend.of(pool), RedisBackend.of(hidden));
        for (RedisBackend backend : backends) {
            var unused = TestContender.started(backend);
        }
        opened.addAll(backends);
        opened.add(pool);
        opened.add(hidden);
        return backends;
    }

    /** One hold that stays, one that is released meanwhile, and a waiter. */
    private static final class Use {
        private final RedisBackend backend;
        private final LockMode mode;
        private final String name = UUID.randomUUID().toString();
        private final TestContender holder;
        private final Grant held;
        private final Grant released;
        private final TestContender waiter;

        private Use(RedisBackend backend, LockMode mode) throws InterruptedException {
            this.backend = backend;
            this.mode = mode;
            this.holder = TestContender.waiting(backend, name, mode, LEASE);
            this.held = holder.acquire();
            this.released =
                    TestContender.waiting(backend, name + "-2", mode, LEASE).acquire();
            boolean isReader = mode.equals(LockMode.READ);
            this.waiter = TestContender.waiting(backend, name, isReader ? LockMode.WRITE : mode, LEASE);
            var unused = waiter.findBusy();
        }

        private static List<Use> all(List<RedisBackend> backends) throws InterruptedException {
            List<Use> all = new ArrayList<>();
            for (RedisBackend backend : backends) {
                for (LockMode mode : MODES) {
                    all.add(new Use(backend, mode));
                }
            }
            return all;
        }

        private void expectUnknown(String words) throws InterruptedException {
            TestContender late = TestContender.trying(backend, name + "-3", mode, LEASE);
            expectUnknown("an acquire", catchThrowable(late::attempt), words);
            expectUnknown("a renewal", renewal(), words);
            expectUnknown("a release", catchThrowable(() -> released.release(TestContender.deadline())), words);
            expectUnknown("a waiter", catchThrowable(waiter::attempt), words);
        }

        /** If the server has answered none of the renewals, all of them together throw. */
        private Object renewal() throws InterruptedException {
            try {
                return holder.renew(held, LEASE);
            } catch (RuntimeException e) {
                return e;
            }
        }

        private void expectUnknown(String what, Object answer, String words) {
            assertThat(answer)
                    .as("%s, %s over %s", what, mode, backend)
                    .isInstanceOf(ErrorReply.class)
                    .asString()
                    .contains(words);
        }

        private void expectRenewed() throws InterruptedException {
            assertThat(holder.renew(held, LEASE))
                    .as("%s over %s", mode, backend)
                    .isInstanceOf(Validity.class);
        }

        private void expectServed() throws InterruptedException {
            expectRenewed();
            release(released);
            TestContender next = TestContender.trying(backend, name + "-2", mode, LEASE);
            release(next.acquire());
            release(held);
            release(waiter.acquire());
        }
    }

    private static void release(Grant held) throws InterruptedException {
        assertEquals(Grant.Release.RELEASED, held.release(TestContender.deadline()));
    }

    @ParameterizedTest
    @EnumSource
    void v8_aStateThatPassesCostsNoHoldAndNoPlace(State state) throws InterruptedException {
        List<Use> all = Use.all(backends());

        state.begin();
        try {
            for (Use use : all) {
                use.expectUnknown(state.name());
            }
        } finally {
            state.end();
        }

        for (Use use : all) {
            use.expectServed();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v5_aBusyServerLeavesNoSubscriptionInTheCallersPool(boolean isVisible) throws InterruptedException {
        PooledConnectionProvider provider = new PooledConnectionProvider(HostAndPort.from(server.address()));
        RedisClient visible = RedisClient.create(server.uri());
        UnifiedJedis client = isVisible ? visible : ContenderTest.repeatingClient(provider);
        Pool<Connection> pool = isVisible ? visible.getPool() : provider.getPool();
        RedisBackend backend = TestContender.started(RedisBackend.of(client));
        opened.addAll(List.of(backend, client, visible, provider));
        Use use = new Use(backend, LockMode.EXCLUSIVE);
        await("it is subscribed", () -> use.waiter.wakeUps.get() > 0);
        long dropped = pool.getDestroyedCount();

        State.BUSY.begin();
        try {
            var unused = catchThrowable(use.waiter::heartbeat);
            await("the pool drops the subscribed connection", () -> pool.getDestroyedCount() > dropped);
        } finally {
            State.BUSY.end();
        }

        for (int i = 0; i < 20; i++) {
            assertEquals("reply" + i, client.echo("reply" + i));
        }
        use.expectServed();
    }

    @Test
    void v8_aClusterThatIsDownCostsNoHoldAndNoPlace() throws InterruptedException {
        try (RedisCluster cluster = RedisCluster.start(2, 0, Duration.ofHours(1));
                RedisClient first = RedisClient.create(cluster.members().get(0).uri());
                RedisClient second = RedisClient.create(cluster.members().get(1).uri());
                RedisBackend backend = TestContender.started(RedisBackend.connect(cluster.uri()))) {
            List<RedisClient> nodes = List.of(first, second);
            nodes.forEach(node -> send(node, "CONFIG", "SET", "cluster-require-full-coverage", "yes"));
            List<Use> all = Use.all(List.of(backend));

            nodes.forEach(node -> send(node, "CLUSTER", "DELSLOTS", "0"));
            await("the cluster is down", () -> isClusterState("fail", nodes));
            for (Use use : all) {
                use.expectUnknown("CLUSTERDOWN");
            }
            send(first, "CLUSTER", "ADDSLOTS", "0");
            await("the cluster is up", () -> isClusterState("ok", nodes));

            for (Use use : all) {
                use.expectServed();
            }
        }
    }

    private static boolean isClusterState(String state, List<RedisClient> nodes) {
        return nodes.stream()
                .allMatch(node -> Replies.text(send(node, "CLUSTER", "INFO")).contains("cluster_state:" + state));
    }

    @Test
    void v8_aServerThatIsOutOfMemoryRenewsAndReleasesHoldsOfAllModes() throws InterruptedException {
        for (RedisBackend backend : backends()) {
            for (LockMode mode : MODES) {
                expectServedWithoutMemory(new Use(backend, mode));
            }
        }
    }

    /** Of a new use: without a heartbeat, a waiter counts as alive for 4 s, and a handoff lasts for 3 s. */
    private static void expectServedWithoutMemory(Use use) throws InterruptedException {
        configure("maxmemory", "1");
        try {
            TestContender late = TestContender.trying(use.backend, use.name + "-3", use.mode, LEASE);
            use.expectUnknown("an acquire", catchThrowable(late::attempt), "OOM");
            use.expectRenewed();
            release(use.released);
            release(use.held);
        } finally {
            configure("maxmemory", "0");
        }

        // Served by the release, and thus before it asks.
        assertEquals(
                1,
                use.backend
                        .inspect(use.name, TestContender.deadline())
                        .holders()
                        .size());
        release(use.waiter.acquire());
    }

    @Test
    void s13_aServerThatIsOutOfMemoryKeepsALockForItsMinimumHold() throws InterruptedException {
        for (RedisBackend backend : backends()) {
            String name = UUID.randomUUID().toString();
            TestContender holder = TestContender.waiting(backend, name, LEASE);
            Grant held = holder.acquire();

            configure("maxmemory", "1");
            try {
                assertEquals(Grant.Release.RELEASED, held.keep(LEASE, TestContender.deadline()));
            } finally {
                configure("maxmemory", "0");
            }

            TestContender.trying(backend, name, LEASE).findBusy();
            assertThat(holder.renew(held, LEASE)).isEqualTo("gone");
        }
    }

    @Test
    void api_aForcedReleaseServesTheNextAtAServerThatIsOutOfMemory() throws InterruptedException {
        for (Use use : Use.all(List.of(backends().get(0)))) {
            configure("maxmemory", "1");
            try {
                assertThat(use.backend.forceRelease(use.name, OptionalLong.empty(), TestContender.deadline()))
                        .hasSize(1);
            } finally {
                configure("maxmemory", "0");
            }

            release(use.waiter.acquire());
        }
    }
}
