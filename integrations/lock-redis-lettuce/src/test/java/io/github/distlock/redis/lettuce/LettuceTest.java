package io.github.distlock.redis.lettuce;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.redis.HealthFinding;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.protocol.ProtocolVersion;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The backend over a client of one server. {@link LettuceContract} runs the whole contract. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class LettuceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LEASE = Duration.ofSeconds(20);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);

    private static RedisServer server;
    /** Has the threads that all clients of this test share. */
    private static RedisClient owner;

    private final String prefix = UUID.randomUUID() + ":";
    private final FaultProxy proxy = FaultProxy.to(server);
    private final List<RedisClient> clients = new ArrayList<>();
    private final List<LockClient> lockClients = new ArrayList<>();
    private final RedisClient redis = redisClient("redis://" + proxy.address());
    private final LockClient client = lockClient(redis);

    @BeforeAll
    static void start() {
        server = RedisServer.start("appendonly yes", "appendfsync always");
        owner = RedisClient.create();
    }

    @AfterAll
    static void stop() {
        server.close();
        owner.shutdown(0, 0, TimeUnit.SECONDS);
    }

    @AfterEach
    void close() {
        lockClients.forEach(LockClient::close);
        clients.forEach(each -> each.shutdown(0, 0, TimeUnit.SECONDS));
        proxy.close();
    }

    private RedisClient redisClient(String uri) {
        return redisClient(RedisURI.create(uri));
    }

    private RedisClient redisClient(RedisURI uri) {
        RedisClient made = RedisClient.create(owner.getResources(), uri);
        clients.add(made);
        return made;
    }

    private RedisBackend backend(RedisClient over) {
        return LettuceRedis.builder(over).keyPrefix(prefix).build();
    }

    private LockClient lockClient(RedisClient over) {
        return lockClient(backend(over));
    }

    private LockClient lockClient(RedisBackend backend) {
        LockClient made = LockClient.create(backend);
        lockClients.add(made);
        return made;
    }

    private LockClient overJedis() {
        return lockClient(RedisBackend.builder(server.uri()).keyPrefix(prefix).build());
    }

    private static void expectWaiting(LockClient at, String name) {
        Waiting.await(
                "a contender waits",
                PATIENCE,
                () -> !at.inspector().inspect(name).waiters().isEmpty());
    }

    private static long callsOfScripts() {
        String stats = LettuceFixture.asked(server, admin -> admin.info("commandstats"));
        return stats.lines()
                .filter(line -> line.matches("cmdstat_(eval|evalsha):.*"))
                .mapToLong(line -> Long.parseLong(
                        line.replaceAll("\\w+:calls=(\\d+),.*", "$1").strip()))
                .sum();
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"RESP2", "RESP3"})
    void api_anAcquireAndAReleaseAreOneRequestEach(ProtocolVersion version) throws InterruptedException {
        RedisClient speaking = redisClient(server.uri());
        speaking.setOptions(ClientOptions.builder().protocolVersion(version).build());
        LockClient locks = lockClient(speaking);
        locks.lock("free", OPTIONS).acquire().close();
        long before = callsOfScripts();

        locks.lock("free", OPTIONS).acquire().close();

        assertEquals(2, callsOfScripts() - before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void s1_clientsOverJedisAndOverLettuceHandLocksToEachOther(boolean fromJedis) throws Exception {
        LockClient jedis = overJedis();
        LockClient holder = fromJedis ? jedis : client;
        LockClient waiter = fromJedis ? client : jedis;
        LockHandle first = holder.lock("shared", OPTIONS).acquire();
        CompletableFuture<LockHandle> second = waiter.lock("shared", OPTIONS).acquireAsync();
        expectWaiting(holder, "shared");

        first.close();
        LockHandle next = second.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);

        assertTrue(next.isHeld());
        assertThat(next.fencingToken()).isGreaterThan(first.fencingToken());
        assertThat(holder.lock("shared", OPTIONS).tryAcquire()).isEmpty();
        next.close();
    }

    @Test
    void s1_clientsThatContendForALockAllGetIt() throws Exception {
        LockClient other = overJedis();
        AtomicInteger rounds = new AtomicInteger();

        Thread peer = new Thread(() -> use(other, rounds));
        peer.start();
        use(client, rounds);
        peer.join();

        assertEquals(100, rounds.get());
    }

    private static void use(LockClient locks, AtomicInteger rounds) {
        for (int i = 0; i < 50; i++) {
            try (LockHandle held = locks.lock("busy", OPTIONS).acquire()) {
                assertTrue(held.isHeld());
                rounds.incrementAndGet();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void s6_aLossIsReportedOnAThreadOfTheClient() throws Exception {
        LockHandle held = client.lock("lost", LockOptions.defaults().renewedLease(Duration.ofSeconds(3)))
                .acquire();
        CompletableFuture<String> reported = new CompletableFuture<>();
        held.onLost(loss ->
                reported.complete(loss.reason() + " " + Thread.currentThread().getName()));

        var unused = LettuceFixture.asked(server, admin -> admin.del(prefix + "lost"));

        assertThat(reported.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).startsWith(LossReason.GONE + " distlock-");
        assertFalse(held.isHeld());
    }

    @Test
    void s5_aHoldOutlivesARestartOfTheServer() throws InterruptedException {
        LockHandle held = client.lock("restarted", OPTIONS).acquire();

        server.restart(true);

        try (LockHandle other = client.lock("another", OPTIONS).acquire()) {
            assertTrue(other.isHeld());
        }
        assertTrue(held.isHeld());
        held.close();
    }

    @Test
    void api_aScriptThatTheServerHasForgottenIsSentAgain() throws InterruptedException {
        LockHandle held = client.lock("flushed", OPTIONS).acquire();
        held.close();

        var unused = LettuceFixture.asked(server, admin -> admin.scriptFlush());
        LockHandle again = client.lock("flushed", OPTIONS).acquire();
        var unusedToo = LettuceFixture.asked(server, admin -> admin.scriptFlush());
        again.close();

        assertThat(again.fencingToken()).isGreaterThan(held.fencingToken());
    }

    @Test
    void v4_requestsToASilentServerEndAtTheirDeadlines() throws InterruptedException {
        client.lock("silent", OPTIONS).acquire().close();
        LockClient patient = lockClient(backend(redis), Duration.ofSeconds(2));
        patient.lock("silent", OPTIONS).acquire().close();
        proxy.silence();
        long before = System.nanoTime();

        assertThrows(LockException.class, () -> patient.lock("silent", OPTIONS).acquire());
        Duration waited = Duration.ofNanos(System.nanoTime() - before);
        proxy.heal();

        assertThat(waited).isBetween(Duration.ofSeconds(2), Duration.ofSeconds(10));
        patient.lock("silent", OPTIONS).acquire().close();
    }

    private LockClient lockClient(RedisBackend backend, Duration outage) {
        LockClient made = LockClient.builder(backend).outageTimeout(outage).build();
        lockClients.add(made);
        return made;
    }

    @Test
    void v4_theTimeoutOfTheClientDoesNotEndARequestThatHasMoreTime() throws Exception {
        RedisClient hasty = redisClient(RedisURI.builder(RedisURI.create(server.uri()))
                .withTimeout(Duration.ofSeconds(1))
                .build());
        hasty.setOptions(
                ClientOptions.builder().timeoutOptions(TimeoutOptions.enabled()).build());
        try (Connections connections = connections(hasty)) {
            var unused = connections.send(List.of(increment()), Connections.Purpose.REQUEST, soon());
            server.pause();
            CompletableFuture<Void> resumed = CompletableFuture.runAsync(() -> {
                Waiting.letPass(Duration.ofMillis(1_300));
                server.resume();
            });

            Object reply = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                    .get(0);

            assertEquals(2L, reply);
            resumed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } finally {
            server.resume();
        }
    }

    @Test
    void v7_anInterruptEndsAWaitForASilentServer() throws InterruptedException {
        client.lock("interrupted", OPTIONS).acquire().close();
        proxy.silence();
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread acquiring = new Thread(() -> {
            try {
                client.lock("interrupted", OPTIONS).acquire().close();
            } catch (InterruptedException | RuntimeException e) {
                end.set(e);
            }
        });
        acquiring.start();
        Waiting.await("the thread waits", PATIENCE, () -> acquiring.getState() == Thread.State.TIMED_WAITING);

        acquiring.interrupt();
        acquiring.join(PATIENCE.toMillis());
        proxy.heal();

        assertInstanceOf(InterruptedException.class, end.get());
        client.lock("interrupted", OPTIONS).acquire().close();
    }

    // At most once

    private static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(10), LockClock.system());
    }

    private static LockCommand command(String name, String... arguments) {
        return new LockCommand(
                "lock".getBytes(UTF_8),
                name,
                Arrays.stream(arguments).map(each -> each.getBytes(UTF_8)).toList());
    }

    private Connections connections(RedisClient over) {
        ConnectionContext context = new Context();
        return new LettuceConnections(new OneServer(over, context), context);
    }

    /** Makes daemon threads. */
    private static final class Context implements ConnectionContext {
        private final AtomicInteger lost = new AtomicInteger();

        @Override
        public LockClock clock() {
            return LockClock.system();
        }

        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(task, "distlock-test");
            thread.setDaemon(true);
            return thread;
        }

        @Override
        public void connectionLost(Object of) {
            lost.incrementAndGet();
        }
    }

    private LockCommand increment() {
        return command("EVAL", "return redis.call('INCR', KEYS[1])", "1", prefix + "count");
    }

    private String count() {
        return LettuceFixture.asked(server, admin -> admin.get(prefix + "count"));
    }

    @Test
    void s7_aCommandIsNotRepeatedAfterItsConnectionHasBroken() throws InterruptedException {
        try (Connections connections = connections(redis)) {
            var unused = connections.send(List.of(increment()), Connections.Purpose.REQUEST, soon());
            proxy.dropNextReply(FaultProxy.containing("INCR"), FaultProxy.Then.CUT);

            Object broken = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                    .get(0);
            Object next = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                    .get(0);

            assertThat((Throwable) broken).hasMessageContaining("the connection has broken");
            assertEquals(3L, next);
        }
        assertEquals("3", count());
    }

    @Test
    void s7_aLateCommandIsNotSentOverALaterConnection() throws InterruptedException {
        try (Connections connections = connections(redis)) {
            var unused = connections.send(List.of(increment()), Connections.Purpose.REQUEST, soon());
            proxy.silenceRequests();
            // The link ends if the server is silent for 250 ms. Otherwise it ends some time after the proxy has cut it.
            Deadline deadline = Deadline.after(Duration.ofSeconds(1), LockClock.system());

            Object late = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, deadline)
                    .get(0);
            proxy.heal();
            Object next = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                    .get(0);

            assertThat((Throwable) late).hasMessage("the server has not answered in time");
            assertEquals(2L, next);
        }
    }

    @Test
    void s1_aServerThatMayNotWriteIsLeftForWhereTheClientLeadsThen() throws InterruptedException {
        try (Connections connections = connections(redis)) {
            var unused = connections.send(List.of(increment()), Connections.Purpose.REQUEST, soon());
            long before = connectionsOfServer();
            var unusedReply = LettuceFixture.asked(server, admin -> admin.replicaof("127.0.0.1", 1));
            Object refused;
            try {
                refused = connections
                        .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                        .get(0);
            } finally {
                var unusedToo = LettuceFixture.asked(server, admin -> admin.replicaofNoOne());
            }
            Object next = connections
                    .send(List.of(increment()), Connections.Purpose.REQUEST, soon())
                    .get(0);

            assertInstanceOf(ErrorReply.class, refused);
            assertEquals(2L, next);
            // Two questions of this test, another one, and the new connection.
            assertThat(connectionsOfServer() - before).isGreaterThanOrEqualTo(4);
        }
    }

    private static long connectionsOfServer() {
        String stats = LettuceFixture.asked(server, admin -> admin.info("stats"));
        return stats.lines()
                .filter(line -> line.startsWith("total_connections_received:"))
                .mapToLong(line ->
                        Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
                .sum();
    }

    // The client

    private static List<String> connectionsNamed(String name) {
        String list = LettuceFixture.asked(server, admin -> admin.clientList());
        return list.lines().filter(line -> line.contains(" name=" + name + " ")).toList();
    }

    private RedisURI named(String name) {
        return RedisURI.builder(RedisURI.create("redis://" + proxy.address()))
                .withClientName(name)
                .build();
    }

    @Test
    void v5_closingLeavesTheClientOpenAndNoConnectionOrThread() throws Exception {
        String name = "closing" + UUID.randomUUID();
        RedisClient supplied = redisClient(named(name));
        LockClient closing = LockClient.builder(backend(supplied)).name(name).build();
        LockHandle held = closing.lock("closed", OPTIONS).acquire();
        CompletableFuture<LockHandle> waiting =
                closing.lock("closed", OPTIONS.fair()).acquireAsync();
        Waiting.await(
                "requests and messages have connections",
                PATIENCE,
                () -> connectionsNamed(name).size() >= 2);

        closing.close();

        Waiting.await(
                "no connection is left", PATIENCE, () -> connectionsNamed(name).isEmpty());
        Waiting.await(
                "no thread is left",
                PATIENCE,
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().contains(name)));
        assertThrows(ExecutionException.class, () -> waiting.get(1, TimeUnit.MINUTES));
        assertFalse(held.isHeld());
        try (StatefulRedisConnection<String, String> own = supplied.connect()) {
            assertEquals("PONG", own.sync().ping());
        }
    }

    /** Lettuce waits for a minute for a server that has accepted a connection. */
    @Test
    void v6_aConnectionThatWasGivenUpIsClosedWhenItIsMade() throws InterruptedException {
        AtomicInteger made = new AtomicInteger();
        String name = "late" + UUID.randomUUID();
        RedisClient supplied = redisClient(named(name));
        supplied.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
                made.incrementAndGet();
            }
        });
        server.pause();
        Connections connections = connections(supplied);
        try {
            Deadline deadline = Deadline.after(Duration.ofMillis(200), LockClock.system());
            Object late = connections
                    .send(List.of(command("PING")), Connections.Purpose.REQUEST, deadline)
                    .get(0);
            assertThat((Throwable) late).hasMessage("not connected in time");
        } finally {
            connections.close();
            server.resume();
        }

        Waiting.await(
                "the connection is closed",
                PATIENCE,
                () -> made.get() == 1 && connectionsNamed(name).isEmpty());
    }

    /** Each attempt takes longer than a second, and requests begin another one then. */
    @Test
    void v4_aClientThatConnectsSlowlyConnectsInTheEnd() {
        proxy.delayReplies(Duration.ofMillis(1_500));

        try (Connections connections = connections(redis)) {
            Waiting.await("a request is sent", PATIENCE, () -> sends(connections));
        }
    }

    private static boolean sends(Connections connections) {
        Deadline deadline = Deadline.after(Duration.ofMillis(300), LockClock.system());
        try {
            Object late = connections
                    .send(List.of(command("PING")), Connections.Purpose.REQUEST, deadline)
                    .get(0);
            return late instanceof RuntimeException error
                    && "the server has not answered in time".equals(error.getMessage());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void v7_aReleaseOnAThreadOfLettuceGoesOnInTheBackground() throws Exception {
        LockHandle held = client.lock("released", OPTIONS).acquire();
        CompletableFuture<LockHandle.Release> outcome = new CompletableFuture<>();
        RedisClient another = redisClient(server.uri());
        another.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
                outcome.complete(held.release());
            }
        });

        another.connect().close();

        assertEquals(LockHandle.Release.PENDING, outcome.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        Waiting.await(
                "the lock is free",
                PATIENCE,
                () -> LettuceFixture.asked(server, admin -> admin.exists(prefix + "released")) == 0);
    }

    @Test
    void api_blockingOnAThreadOfLettuceIsRefused() throws Exception {
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        RedisClient another = redisClient(server.uri());
        another.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisConnected(RedisChannelHandler<?, ?> connection, SocketAddress address) {
                try {
                    client.lock("blocked", OPTIONS).acquire().close();
                } catch (InterruptedException | RuntimeException e) {
                    refused.complete(e);
                }
            }
        });

        another.connect().close();

        assertThat(refused.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(LockException.class)
                .hasMessageContaining("must not wait for a lock; use acquireAsync()");
    }

    @Test
    void api_aClientWithoutAnAddressIsRefusedAtOnce() {
        LockClient locks = lockClient(redisClientWithoutAddress());

        assertThat(assertThrows(LockException.class, () -> locks.lock("nowhere").acquire()))
                .hasMessageContaining("RedisURI is not available");
    }

    private RedisClient redisClientWithoutAddress() {
        RedisClient made = RedisClient.create(owner.getResources());
        clients.add(made);
        return made;
    }

    @Test
    void api_aWrongPasswordIsRefusedAtOnceWithTheServersWords() {
        LockClient locks = lockClient(redisClient(RedisURI.builder(RedisURI.create(server.uri()))
                .withAuthentication("nobody", "secret".toCharArray())
                .build()));

        assertThat(assertThrows(LockException.class, () -> locks.lock("denied").acquire()))
                .hasMessageContaining("WRONGPASS");
    }

    @Test
    void api_aCertificateThatIsNotTrustedIsRefusedAtOnce(@TempDir Path directory) throws Exception {
        try (ServerSocket secure = tlsServer(directory.resolve("server.p12"))) {
            LockClient locks = lockClient(redisClient("rediss://127.0.0.1:" + secure.getLocalPort()));

            assertThat(assertThrows(
                            LockException.class, () -> locks.lock("trusted").acquire()))
                    .hasMessageContaining("Redis refuses lock \"trusted\"")
                    .hasMessageContaining("unable to find valid certification path");
        }
    }

    /** Returns a server with a self-signed certificate. It answers handshakes, and nothing else. */
    private static ServerSocket tlsServer(Path file) throws Exception {
        char[] password = "password".toCharArray();
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=server",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        String.valueOf(password))
                .inheritIO()
                .start();
        assertEquals(0, keytool.waitFor());
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(KeyStore.getInstance(file.toFile(), password), password);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), null, null);
        ServerSocket server = tls.getServerSocketFactory().createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread accepting = new Thread(() -> {
            while (!server.isClosed()) {
                try (SSLSocket client = (SSLSocket) server.accept()) {
                    client.startHandshake();
                } catch (IOException e) {
                    // The client does not trust the server, or the test has ended.
                }
            }
        });
        accepting.setDaemon(true);
        accepting.start();
        return server;
    }

    @Test
    void api_awaitingReplicasIsRefused() {
        assertThat(assertThrows(
                        IllegalStateException.class,
                        () -> LettuceRedis.builder(redis).awaitReplicas(1)))
                .hasMessage("awaiting replicas needs a backend with its own connections");
    }

    @Test
    void api_locksAreListedAndTheServerIsChecked() throws InterruptedException {
        RedisBackend backend = backend(redis);
        LockClient locks = lockClient(backend);
        LockHandle held = locks.lock("listed", OPTIONS).acquire();

        assertEquals(List.of("listed"), locks.inspector().list("", 10));
        assertThat(backend.checkHealth(Duration.ofSeconds(10))).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.severity()).isNotEqualTo(HealthFinding.Severity.ERROR);
            assertThat(finding.server()).isEqualTo(proxy.address());
        });
        held.close();
    }

    /** Frameworks bring Lettuce, and an old Jedis or none. */
    @Test
    void api_locksWorkWithoutJedis() {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !new File(entry).getName().startsWith("jedis-"))
                .collect(Collectors.joining(File.pathSeparator));

        try (ChildProgram program =
                ChildProgram.start(classPath, List.of(), WithoutJedis.class.getName(), server.uri(), prefix)) {
            program.awaitLine("done", PATIENCE);
        }
    }
}
