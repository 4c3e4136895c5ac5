package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisCredentials;
import redis.clients.jedis.RedisCredentialsProvider;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/** The backend's own connections to servers that misbehave in ways that no real server does on demand. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConnectionsTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final int TASKS = 100;
    private static final Duration REQUEST = Duration.ofMillis(500);
    /** More than a busy machine needs, less than the servers of these tests last. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext context = new RecordingContext(client);
    private final AtomicLong passed = new AtomicLong();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private ScriptedServer serve(ScriptedServer.Behavior behavior) {
        ScriptedServer server = ScriptedServer.answering(behavior);
        opened.add(server);
        return server;
    }

    private RedisBackend connect(String uri) {
        RedisBackend backend = RedisBackend.connect(uri);
        backend.start(context);
        opened.add(0, backend);
        return backend;
    }

    /** Makes connections that are idle for as long as a test says. */
    private OwnConnections connections(ScriptedServer server) {
        return connections(server, new TestClock(passed));
    }

    /**
     * A clock that stands still until a test puts it forward. Until then, all connections become idle at the same time.
     * Afterwards it goes on, so that late exchanges end.
     */
    private record HaltedClock(AtomicLong ahead) implements LockClock {
        private static final long BEGIN = System.nanoTime();
        private static final long HALT = Duration.ofHours(1).toNanos();

        @Override
        public long nanoTime() {
            long moved = ahead.get();
            return moved == 0 ? HALT : HALT + moved + System.nanoTime() - BEGIN;
        }

        @Override
        public long wallMillis() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Parker parker() {
            throw new UnsupportedOperationException();
        }
    }

    private OwnConnections connections(ScriptedServer server, LockClock clock) {
        return connections(server, clock, ReplicaPolicy.NONE);
    }

    private OwnConnections connections(ScriptedServer server, LockClock clock, ReplicaPolicy replicas) {
        Node.Shared nodes = TestNodes.shared(TestNodes.context(clock, context), ServerConnection.Check.ALIVE, replicas);
        OwnConnections connections =
                TestNodes.connections(shared -> new SingleServer(HostAndPort.from(server.address()), shared), nodes);
        opened.add(0, connections);
        return connections;
    }

    @CanIgnoreReturnValue
    private static Attempt attempt(RedisBackend backend, Duration time) throws InterruptedException {
        return backend.contend(request("job"), new IgnoredSignals()).attempt(deadline(time));
    }

    private static LockRequest request(String name) {
        return LockRequest.exclusive(name, LEASE, LockOwner.of("host", 7, "client", "thread"))
                .withoutWaiting();
    }

    private static Deadline deadline(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    @CanIgnoreReturnValue
    private static List<?> call(OwnConnections connections, Script script) throws InterruptedException {
        ScriptCall call = new ScriptCall(script, LockKeys.of("job", name -> name, "distlock:"));
        return connections.call(call, deadline(PATIENCE));
    }

    /** Sends a request as renewals and releases are sent: over connections of their own. */
    @CanIgnoreReturnValue
    private static List<?> callAll(OwnConnections connections) throws InterruptedException {
        ScriptCall call = new ScriptCall(Script.INSPECT, LockKeys.of("job", name -> name, "distlock:"));
        return connections.callAll(List.of(call), deadline(PATIENCE));
    }

    private static void expectEnd(long begin) {
        Duration taken = Duration.ofNanos(System.nanoTime() - begin);
        assertThat(taken).isLessThan(REQUEST.plus(Duration.ofSeconds(8)));
    }

    /** Sends a text byte by byte, for half a minute. */
    private static void trickle(ScriptedServer.Client client, String text) throws IOException {
        for (int i = 0; i < 600; i++) {
            client.send(text);
            Waiting.letPass(Duration.ofMillis(50));
        }
    }

    // Deadlines

    @Test
    void v4_aReplyThatComesByteByByteEndsAtTheDeadline() throws InterruptedException {
        AtomicBoolean trickles = new AtomicBoolean();
        ScriptedServer server = serve((client, command) -> {
            if (trickles.get() && command.get(0).equals("EVALSHA")) {
                client.send("$1000\r\n");
                trickle(client, "x");
            }
            client.succeed(command);
        });
        RedisBackend backend = connect(server.uri());
        attempt(backend, PATIENCE);
        trickles.set(true);
        long begin = System.nanoTime();

        assertThatThrownBy(() -> attempt(backend, REQUEST)).hasMessageContaining("has not answered in time");

        expectEnd(begin);
    }

    @Test
    void v4_aTlsHandshakeThatComesByteByByteEndsSoonAfterItsCallerHasGivenUp() throws Exception {
        byte[] beginOfARecord = {0x16, 3, 3, 0x3f, 0};
        ScriptedServer server = new ScriptedServer(client -> {
            client.send(beginOfARecord);
            trickle(client, "x");
        });
        opened.add(server);
        RedisBackend backend = connect("rediss://" + server.address());
        long begin = System.nanoTime();

        assertThatThrownBy(() -> attempt(backend, REQUEST)).hasMessageContaining("not connected in time");

        expectEnd(begin);
        Waiting.await("no thread connects", PATIENCE, () -> threads("redis1") == 0);
    }

    private OpenConnections openConnections(ScriptedServer server) {
        return new OpenConnections(
                HostAndPort.from(server.address()),
                DefaultJedisClientConfig.builder().build(),
                ServerConnection.Check.ALIVE,
                lateExchanges());
    }

    @Test
    void v8_aWriteToAServerThatDoesNotReadEndsAtTheDeadline() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        ScriptedServer server = serve((client, command) -> {
            client.succeed(command);
            awaitQuietly(end);
        });
        OpenConnections connections = openConnections(server);
        ServerConnection connection = connections.connect(deadline(PATIENCE));
        byte[] much = new byte[32 * 1024 * 1024];
        long begin = System.nanoTime();

        assertThatThrownBy(() -> connection.exchange(jedis -> write(jedis, much), deadline(REQUEST)))
                .hasMessageContaining("has not answered in time");

        expectEnd(begin);
        end.countDown();
        connections.close("the test has ended");
    }

    private static Object write(Connection jedis, byte[] data) {
        jedis.sendCommand(Command.ECHO, data);
        return jedis.getOne();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v4_anExchangeWithASilentServerEndsIfNoThreadCanWatchIt() throws InterruptedException {
        AtomicBoolean silent = new AtomicBoolean();
        ScriptedServer server = serve((client, command) -> {
            if (!silent.get()) {
                client.succeed(command);
            }
        });
        context.refuseThreads("deadlines"::equals);
        RedisBackend backend = connect(server.uri());
        attempt(backend, PATIENCE);
        silent.set(true);
        long begin = System.nanoTime();

        assertThatThrownBy(() -> attempt(backend, REQUEST)).hasMessageContaining("has not answered in time");

        expectEnd(begin);
    }

    @Test
    void v6_theThreadThatWatchesDeadlinesEndsWithoutRequests() throws InterruptedException {
        AtomicLong watching = new AtomicLong();
        RedisBackend backend = connect(serveCounting(watching).uri());

        attempt(backend, PATIENCE);

        assertEquals(1, watching.get());
        Waiting.await("the thread has ended", PATIENCE, () -> threads("deadlines") == 0);
        watching.set(0);
        attempt(backend, PATIENCE);
        assertEquals(1, watching.get());
    }

    /** Starts a server that counts the threads that watch deadlines, before it answers a command. */
    private ScriptedServer serveCounting(AtomicLong watching) {
        return serve((client, command) -> {
            watching.set(threads("deadlines"));
            client.succeed(command);
        });
    }

    private long threads(String role) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("distlock-" + client + "-" + role))
                .count();
    }

    // Batches

    @Test
    void v8_aBatchIsReadBeforeItsRepliesFillTheBuffers() throws InterruptedException {
        String padding = "$1000\r\n" + "x".repeat(1_000) + "\r\n";
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).equals("PING")) {
                client.succeed(command);
            } else {
                String request = command.get(3 + Integer.parseInt(command.get(2)));
                client.send("*3\r\n$" + request.length() + "\r\n" + request + "\r\n:7\r\n" + padding);
            }
        });
        RedisBackend backend = connect(server.uri());
        AtomicInteger renewed = new AtomicInteger();
        List<Renewal> due = renewals(backend, 20_000, renewed);

        backend.renewAll(due, deadline(Duration.ofSeconds(50)));

        assertEquals(due.size(), renewed.get());
    }

    @Test
    void v2_aBatchThatNoServerAnswersFails() {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        OwnConnections connections = connections(server);
        server.close();

        assertThatThrownBy(() -> callAll(connections))
                .isInstanceOf(JedisException.class)
                .hasMessageContaining("cannot connect to " + server.address());
    }

    @Test
    void v8_aBatchBringsItsScriptOnce() throws InterruptedException {
        AtomicBoolean isKnown = new AtomicBoolean();
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).equals("EVAL")) {
                isKnown.set(true);
            }
            if (command.get(0).equals("EVALSHA") && !isKnown.get()) {
                client.send("-NOSCRIPT No matching script\r\n");
            } else {
                client.succeed(command);
            }
        });
        LockKeys keys = LockKeys.of("job", name -> name, "distlock:");
        List<ScriptCall> calls = List.of(new ScriptCall(Script.INSPECT, keys), new ScriptCall(Script.INSPECT, keys));

        List<Object> replies = connections(server).callAll(calls, deadline(PATIENCE));

        assertThat(replies).hasSize(2).hasOnlyElementsOfType(List.class);
        assertThat(server.commands())
                .extracting(command -> command.get(0))
                .containsExactly("PING", "EVALSHA", "EVALSHA", "EVAL", "EVALSHA");
    }

    /** Returns renewals whose requests together are longer than all buffers of a connection. */
    private static List<Renewal> renewals(RedisBackend backend, int count, AtomicInteger renewed) {
        Validity validity = Validity.of(LockClock.system().now(), LEASE);
        String name = "long".repeat(200);
        List<Renewal> renewals = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            RedisContender contender = (RedisContender) backend.contend(request(name + i), new IgnoredSignals());
            renewals.add(new Counted(new RedisGrant(contender, LockMode.EXCLUSIVE, 7, validity), renewed));
        }
        return renewals;
    }

    // Threads

    /** Waiting on a future would run them, if the common pool has at least two threads. */
    @Test
    void v4_anAcquireOnAThreadOfTheCommonPoolRunsNoOtherTasks() throws Exception {
        AtomicReference<Thread> acquiring = new AtomicReference<>();
        AtomicInteger ranWithin = new AtomicInteger();
        ScriptedServer server = serve((client, command) -> {
            Waiting.letPass(Duration.ofMillis(200));
            client.succeed(command);
        });
        RedisBackend backend = connect(server.uri());

        ForkJoinTask<Attempt> acquire = ForkJoinPool.commonPool().submit(() -> {
            acquiring.set(Thread.currentThread());
            for (int i = 0; i < TASKS; i++) {
                var unused = CompletableFuture.runAsync(() -> {
                    if (acquiring.get() == Thread.currentThread()) {
                        ranWithin.incrementAndGet();
                    }
                });
            }
            Attempt answer = attempt(backend, PATIENCE);
            acquiring.set(null);
            return answer;
        });

        assertThat(acquire.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isInstanceOf(Attempt.Granted.class);
        assertEquals(0, ranWithin.get());
    }

    // Idle connections

    @Test
    void v4_aStaleConnectionCostsAShortCheckAndTakesTheOthersWithIt() throws Exception {
        AtomicInteger stale = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(3);
        ScriptedServer server = serve((client, command) -> {
            if (client.number >= stale.get()) {
                if (command.get(0).startsWith("EVAL") && stale.get() == 0) {
                    all.countDown();
                    awaitQuietly(all);
                }
                client.succeed(command);
            }
        });
        OwnConnections connections = connections(server, new HaltedClock(passed));
        openThree(connections);
        stale.set(3);
        passed.addAndGet(Duration.ofSeconds(6).toNanos());

        call(connections, Script.INSPECT);
        call(connections, Script.INSPECT);

        assertEquals(4, server.connections());
        long checks = server.commands().stream()
                        .filter(command -> command.get(0).equals("PING"))
                        .count()
                - 4;
        assertEquals(1, checks, "one silent connection condemns the older ones");
        Waiting.await("all of them are closed", PATIENCE, () -> server.ended() == 3);
        assertThat(context.lostConnections()).isEmpty();
    }

    @Test
    void v4_aConnectionThatBreaksTakesTheOthersWithIt() throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        AtomicInteger requests = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(3);
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL")) {
                requests.incrementAndGet();
                all.countDown();
                awaitQuietly(all);
                if (broken.get() && client.number < 3) {
                    client.close();
                    return;
                }
            }
            client.succeed(command);
        });
        OwnConnections connections = connections(server, new HaltedClock(passed));
        openThree(connections);
        broken.set(true);

        List<?> reply = call(connections, Script.INSPECT);

        assertThat(reply).hasSize(1);
        assertEquals(3 + 2, requests.get());
        assertEquals(4, server.connections());
    }

    @Test
    void v6_aConnectionWhoseCallerHasGivenUpIsKeptForTheNextOne() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answers = new CountDownLatch(1);
        AtomicBoolean served = new AtomicBoolean();
        ScriptedServer server = serve((client, command) -> {
            if (client.number == 0) {
                asked.countDown();
                awaitQuietly(answers);
                served.compareAndSet(false, command.get(0).startsWith("EVAL"));
            }
            client.succeed(command);
        });
        OwnConnections connections = connections(server);
        FutureTask<List<?>> call = new FutureTask<>(() -> call(connections, Script.INSPECT));
        Thread caller = new Thread(call);
        caller.start();
        awaitQuietly(asked);
        caller.interrupt();
        assertThatThrownBy(() -> call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .hasCauseInstanceOf(InterruptedException.class);
        answers.countDown();

        Waiting.await("it serves a request, or is closed because it is idle", PATIENCE, () -> {
            passed.addAndGet(Duration.ofSeconds(31).toNanos());
            try {
                call(connections, Script.INSPECT);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return served.get() || server.ended() > 0;
        });
    }

    @Test
    void v6_nothingIsKeptForAConnectionThatIsDropped() throws Exception {
        OpenConnections connections = openConnections(serve(ScriptedServer.Client::succeed));
        ServerConnection connection = connections.connect(deadline(PATIENCE));
        WeakReference<ServerConnection> dropped = new WeakReference<>(connection);

        connections.drop(connection);
        connection = null;

        Waiting.await("it is forgotten", PATIENCE, () -> {
            System.gc();
            return dropped.refersTo(null);
        });
    }

    @Test
    void v5_noConnectionIsMadeAfterTheEnd() {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        OpenConnections connections = openConnections(server);
        connections.close("it is over");

        assertThatThrownBy(() -> connections.connect(deadline(PATIENCE))).hasMessage("it is over");

        assertThat(server.commands()).isEmpty();
    }

    private static void openThree(OwnConnections connections) throws Exception {
        ForkJoinPool pool = new ForkJoinPool(3);
        try {
            List<ForkJoinTask<?>> calls = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                calls.add(pool.submit(() -> call(connections, Script.INSPECT)));
            }
            for (ForkJoinTask<?> call : calls) {
                var unused = call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void v4_theCheckOfAnIdleConnectionEndsLongBeforeTheRequest() throws Exception {
        AtomicBoolean silent = new AtomicBoolean();
        ScriptedServer server = serve((client, command) -> {
            if (client.number > 0 || !silent.get()) {
                client.succeed(command);
            }
        });
        OwnConnections connections = connections(server, new HaltedClock(passed));
        call(connections, Script.INSPECT);
        silent.set(true);
        passed.addAndGet(Duration.ofSeconds(6).toNanos());

        List<?> reply = call(connections, Script.INSPECT);

        assertThat(reply).hasSize(1);
        assertEquals(2, server.connections());
    }

    @Test
    void v6_connectionsThatAreNotUsedForHalfAMinuteAreClosed() throws Exception {
        CountDownLatch all = new CountDownLatch(3);
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL")) {
                all.countDown();
                awaitQuietly(all);
            }
            client.succeed(command);
        });
        OwnConnections connections = connections(server);
        openThree(connections);

        passed.addAndGet(Duration.ofSeconds(29).toNanos());
        call(connections, Script.INSPECT);
        assertEquals(0, server.ended());
        passed.addAndGet(Duration.ofSeconds(2).toNanos());
        call(connections, Script.INSPECT);
        Waiting.await("an idle connection is closed", PATIENCE, () -> server.ended() == 1);
        call(connections, Script.INSPECT);
        Waiting.await("the other idle connection is closed", PATIENCE, () -> server.ended() == 2);
        call(connections, Script.INSPECT);

        assertEquals(3, server.connections(), "the connection in use stays open");
        assertEquals(2, server.ended());
    }

    @ParameterizedTest
    @CsvSource({
        "false, READONLY it is a replica, 2",
        "true, READONLY it is a replica, 2",
        "false, ERR it fails, 1",
        "true, ERR it fails, 1"
    })
    void v2_onlyAServerThatCannotKeepLocksLosesItsConnection(boolean batch, String words, int expected)
            throws Exception {
        AtomicBoolean fails = new AtomicBoolean(true);
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL") && fails.getAndSet(false)) {
                client.send("-" + words + "\r\n");
            } else {
                client.succeed(command);
            }
        });
        OwnConnections connections = connections(server);

        if (batch) {
            assertThat(callAll(connections)).singleElement().isInstanceOf(ErrorReply.class);
            callAll(connections);
        } else {
            assertThatThrownBy(() -> call(connections, Script.INSPECT)).hasMessageContaining(words);
            call(connections, Script.INSPECT);
        }

        assertEquals(expected, server.connections());
    }

    @Test
    void v8_aRenewalUsesAnotherConnectionIfTheServerAcceptsNoMore() throws Exception {
        ScriptedServer server = serve((client, command) -> {
            if (client.number == 0) {
                client.succeed(command);
            } else {
                client.send("-ERR max number of clients reached\r\n");
                client.close();
            }
        });
        OwnConnections connections = connections(server);
        call(connections, Script.INSPECT);

        List<?> replies = callAll(connections);

        assertThat(replies).singleElement().isInstanceOf(List.class);
        assertEquals(2, server.connections());
    }

    @Test
    void v4_aRequestThatIsNotSafeToRepeatSucceedsAfterTheServerHasClosedAnIdleConnection() throws Exception {
        AtomicBoolean closes = new AtomicBoolean(true);
        ScriptedServer server = serve((client, command) -> {
            client.succeed(command);
            if (command.get(0).startsWith("EVAL") && closes.getAndSet(false)) {
                client.close();
            }
        });
        OwnConnections connections = connections(server);
        call(connections, Script.INSPECT);
        passed.addAndGet(Duration.ofSeconds(6).toNanos());

        List<?> reply = call(connections, Script.FORCE_RELEASE);

        assertThat(reply).hasSize(1);
        assertThat(context.lostConnections())
                .as("an idle connection was closed")
                .isEmpty();
    }

    /** Closes the connection of the second request. */
    private ScriptedServer serveAllButTheSecond(AtomicInteger requests) {
        return serve((client, command) -> {
            if (command.get(0).startsWith("EVAL") && requests.incrementAndGet() == 2) {
                client.close();
            } else {
                client.succeed(command);
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"999, true", "1000, false"})
    void v8_onlyAConnectionThatBreaksInUseCountsAsLost(long idleMillis, boolean isLost) throws Exception {
        AtomicInteger requests = new AtomicInteger();
        ScriptedServer server = serveAllButTheSecond(requests);
        OwnConnections connections = connections(server);
        call(connections, Script.INSPECT);
        passed.addAndGet(Duration.ofMillis(idleMillis).toNanos());
        ScriptCall request = new ScriptCall(Script.INSPECT, LockKeys.of("job", name -> name, "distlock:"));

        List<?> reply = connections.call(request, deadline(PATIENCE));

        assertThat(reply).hasSize(1);
        assertTrue(request.wasSentAgain());
        assertThat(context.lostConnections()).hasSize(isLost ? 1 : 0);
    }

    @Test
    void s5_aRequestThatIsNotSafeToRepeatIsNotSentAgain() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        ScriptedServer server = serveAllButTheSecond(requests);
        OwnConnections connections = connections(server);
        call(connections, Script.INSPECT);

        assertThatThrownBy(() -> call(connections, Script.FORCE_RELEASE)).isInstanceOf(JedisException.class);

        assertEquals(2, requests.get());
        assertEquals(1, server.connections());
    }

    @Test
    void v8_holdsAreRenewedOnceASecondAfterRequestsUnderWayHaveLostTheirConnections() {
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL")) {
                client.close();
            }
            client.succeed(command);
        });
        OwnConnections connections = connections(server);

        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> call(connections, Script.INSPECT)).isInstanceOf(JedisException.class);
        }

        HostAndPort address = HostAndPort.from(server.address());
        assertThat(context.lostConnections()).containsExactly(address);
        passed.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThatThrownBy(() -> call(connections, Script.INSPECT)).isInstanceOf(JedisException.class);
        assertThat(context.lostConnections()).containsExactly(address, address);
    }

    // Threads that cannot be started

    @Test
    void v8_aConnectionIsMadeAfterAThreadCouldNotBeStarted() throws InterruptedException {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisBackend backend =
                RedisBackend.builder(server.uri()).maxConnections(1).build();
        backend.start(context);
        opened.add(0, backend);
        context.refuseThreads(role -> true);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> attempt(backend, PATIENCE)).isInstanceOf(Error.class);
        }
        context.refuseThreads(role -> false);

        attempt(backend, PATIENCE);

        assertEquals(1, server.connections());
    }

    @Test
    void v4_theThreadThatWatchesDeadlinesStartsWithTheNextRequest() throws InterruptedException {
        AtomicLong watching = new AtomicLong();
        OwnConnections connections = connections(serveCounting(watching));
        context.refuseThreads("deadlines"::equals);
        call(connections, Script.INSPECT);
        assertEquals(0, watching.get());
        context.refuseThreads(role -> false);

        call(connections, Script.INSPECT);

        assertEquals(1, watching.get());
    }

    // Replicas

    @Test
    void s1_onlyGrantsWaitForReplicas() throws InterruptedException {
        AtomicBoolean isFree = new AtomicBoolean(true);
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).equals("WAIT")) {
                client.send(":1\r\n");
            } else if (isFree.get() || !command.get(0).startsWith("EVAL")) {
                client.succeed(command);
            } else {
                client.replyToScript(command, "");
            }
        });
        OwnConnections connections = connections(server, new TestClock(passed), new ReplicaPolicy(1, false));
        call(connections, Script.INSPECT);
        assertThat(count(server, "WAIT")).isZero();

        call(connections, Script.ACQUIRE_FREE);

        assertThat(server.commands())
                .extracting(command -> command.get(0))
                .containsSubsequence("WAIT", "EVALSHA", "WAIT");
        isFree.set(false);
        call(connections, Script.ACQUIRE_FREE);
        assertThat(count(server, "WAIT")).isEqualTo(2);
    }

    // Subscriptions

    private static long count(ScriptedServer server, String name) {
        return server.commands().stream()
                .filter(command -> command.get(0).equals(name))
                .count();
    }

    /** Subscribes, and reads on a thread of its own. */
    private FutureTask<@Nullable Void> reading(Listening listening, CountDownLatch subscribed) {
        FutureTask<@Nullable Void> reading = new FutureTask<>(() -> {
            listening.run();
            return null;
        });
        new Thread(reading).start();
        awaitQuietly(subscribed);
        return reading;
    }

    /** Answers as a server does whose channels have no messages. */
    private static void subscribe(ScriptedServer.Client client, List<String> command) throws IOException {
        if (command.get(0).equals("SUBSCRIBE")) {
            client.send("*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n");
        } else {
            client.succeed(command);
        }
    }

    @Test
    void v2_aSubscriptionAsksForASignOfLifeAsOftenAsItIsTold() {
        ScriptedServer server = serve(ConnectionsTest::subscribe);
        CountDownLatch subscribed = new CountDownLatch(1);
        Listening listening = connections(server).listening("channel", message -> {}, subscribed::countDown);
        listening.askForSignOfLife();
        FutureTask<@Nullable Void> reading = reading(listening, subscribed);
        long before = count(server, "PING");

        Waiting.await("it has asked twice", PATIENCE, () -> {
            listening.askForSignOfLife();
            return count(server, "PING") >= before + 2;
        });

        long asked = count(server, "PING");
        for (int i = 0; i < TASKS; i++) {
            listening.askForSignOfLife();
        }
        Waiting.await("it has asked each time", PATIENCE, () -> count(server, "PING") >= asked + TASKS);
        assertThat(listening.isSilent()).as("its end shows that").isFalse();
        assertThat(reading.isDone()).isFalse();
        listening.end();
        assertThatThrownBy(() -> reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .hasCauseInstanceOf(JedisConnectionException.class);
    }

    @Test
    void v5_theEndOfASubscriptionClosesItsConnectionAlthoughAMessageIsHandled() throws Exception {
        ScriptedServer server = serve((client, command) -> {
            subscribe(client, command);
            if (command.get(0).equals("SUBSCRIBE")) {
                client.send("*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$4\r\nword\r\n");
            }
        });
        CountDownLatch received = new CountDownLatch(1);
        CountDownLatch handled = new CountDownLatch(1);
        Listening listening = connections(server)
                .listening(
                        "channel",
                        message -> {
                            received.countDown();
                            awaitQuietly(handled);
                        },
                        () -> {});
        FutureTask<@Nullable Void> reading = reading(listening, received);

        listening.end();

        Waiting.await("the connection is closed", PATIENCE, () -> server.ended() == 1);
        assertThat(reading.isDone()).isFalse();
        handled.countDown();
        reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void v2_aRefusedSubscriptionEndsWithTheWordsOfTheServerAndItsConnection() {
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).equals("SUBSCRIBE")) {
                client.send("-NOPERM no permissions to access a channel\r\n");
            } else {
                client.succeed(command);
            }
        });
        Listening listening = connections(server).listening("channel", message -> {}, () -> {});

        assertThatThrownBy(listening::run)
                .isInstanceOf(ErrorReply.class)
                .hasMessage("NOPERM no permissions to access a channel");

        Waiting.await("the connection is closed", PATIENCE, () -> server.ended() == 1);
    }

    @Test
    void v2_aSubscriptionToASilentServerEnds() {
        ScriptedServer server = serve(ConnectionsTest::subscribe);
        CountDownLatch subscribed = new CountDownLatch(1);
        Listening listening = connections(server).listening("channel", message -> {}, subscribed::countDown);

        FutureTask<@Nullable Void> reading = reading(listening, subscribed);

        assertThatThrownBy(() -> reading.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .hasCauseInstanceOf(JedisConnectionException.class);
    }

    @Test
    void api_oneServerHasNoFailoversAndAnswersCommands() throws InterruptedException {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        OwnConnections connections = connections(server);

        assertThat(connections.isOneServer()).isTrue();
        assertThat(connections.followsFailovers()).isFalse();
        assertThat(connections.canListen()).isTrue();
        Connections.Server only = connections.servers(deadline(PATIENCE)).get(0);
        assertThat(only.failsOver()).isFalse();
        assertThat(only.keeps(LockKeys.of("job", name -> name, "distlock:").lock()))
                .isTrue();
        assertEquals(server.address(), only.address());
        assertThat(connections).hasToString(server.address());
        assertThat(only.ask(List.of(List.of("CONFIG"), List.of("INFO")), deadline(PATIENCE)))
                .hasSize(2);
    }

    // Handshake and errors

    @Test
    void api_aConnectionAuthenticatesAndSelectsItsDatabaseAndSendsNoHello() throws InterruptedException {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisBackend backend = connect("redis://me:sec%40ret@" + server.address() + "/3");

        attempt(backend, PATIENCE);

        assertThat(server.commands().subList(0, 3))
                .containsExactly(List.of("AUTH", "me", "sec@ret"), List.of("SELECT", "3"), List.of("PING"));
        assertEquals("EVALSHA", server.commands().get(3).get(0));
    }

    private static void connect(ScriptedServer server, JedisClientConfig config, LateExchanges late)
            throws InterruptedException {
        OpenConnections connections =
                new OpenConnections(HostAndPort.from(server.address()), config, ServerConnection.Check.ALIVE, late);
        var unused = connections.connect(deadline(PATIENCE));
        connections.close("the test has ended");
    }

    private LateExchanges lateExchanges() {
        return new LateExchanges(TestNodes.context(LockClock.system(), context));
    }

    @Test
    void api_aProviderOfCredentialsIsPreparedBeforeAndCleanedUpAfterItsUse() throws InterruptedException {
        List<String> steps = new CopyOnWriteArrayList<>();
        RedisCredentialsProvider provider = new RedisCredentialsProvider() {
            @Override
            public void prepare() {
                steps.add("prepare");
            }

            @Override
            public RedisCredentials get() {
                steps.add("get");
                return new DefaultRedisCredentials("me", "secret");
            }

            @Override
            public void cleanUp() {
                steps.add("clean up");
            }
        };
        ScriptedServer server = serve(ScriptedServer.Client::succeed);

        connect(
                server,
                DefaultJedisClientConfig.builder().credentialsProvider(provider).build(),
                lateExchanges());

        assertThat(steps).containsExactly("prepare", "get", "clean up");
        assertThat(server.commands()).first().isEqualTo(List.of("AUTH", "me", "secret"));
    }

    @Test
    void api_credentialsMayComeFromAnySupplierOrNone() throws InterruptedException {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);

        connect(server, supplying(() -> new DefaultRedisCredentials("me", "secret")), lateExchanges());
        connect(server, supplying(null), lateExchanges());

        assertThat(server.commands())
                .containsExactly(List.of("AUTH", "me", "secret"), List.of("PING"), List.of("PING"));
    }

    private static JedisClientConfig supplying(@Nullable Supplier<RedisCredentials> credentials) {
        return new JedisClientConfig() {
            @Override
            public @Nullable Supplier<RedisCredentials> getCredentialsProvider() {
                return credentials;
            }
        };
    }

    @Test
    void api_aMissingRightToTestAConnectionHasNoEffect() throws InterruptedException {
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL")) {
                client.succeed(command);
            } else {
                client.send("-NOPERM this user has no permissions to run the '" + command.get(0) + "' command\r\n");
            }
        });

        attempt(connect(server.uri()), PATIENCE);

        assertThat(server.commands()).extracting(command -> command.get(0)).contains("PING");
    }

    @Test
    void api_anErrorOfTheHandshakeCarriesTheServersWords() {
        ScriptedServer server = serve((client, command) -> client.send("-LOADING the dataset\r\n"));
        RedisBackend backend = connect(server.uri());

        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining("LOADING the dataset");
    }

    @Test
    void v2_aServerThatIsLoadingItsDataIsAskedAgainOverANewConnection() throws InterruptedException {
        AtomicBoolean loading = new AtomicBoolean(true);
        ScriptedServer server = serve((client, command) -> {
            if (loading.get()) {
                client.send("-LOADING the dataset\r\n");
            } else {
                client.succeed(command);
            }
        });
        RedisBackend backend = connect(server.uri());
        assertThatThrownBy(() -> attempt(backend, PATIENCE)).isNotInstanceOf(RequestRefusedException.class);
        Waiting.await("the failed connection is closed", PATIENCE, () -> server.ended() == 1);
        loading.set(false);

        attempt(backend, PATIENCE);

        assertEquals(2, server.connections());
    }

    @Test
    void api_aDatabaseThatCannotBeSelectedIsNotReplacedByAnotherOne() {
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).equals("SELECT")) {
                client.send("-NOPERM no permissions to run the 'select' command\r\n");
            } else {
                client.succeed(command);
            }
        });
        RedisBackend backend = connect(server.uri() + "/3");

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("select");
    }

    @Test
    void api_aNodeOfAClusterIsRefusedAtOnce() {
        ScriptedServer server = serve((client, command) -> {
            if (command.get(0).startsWith("EVAL")) {
                client.send("-MOVED 3999 127.0.0.1:6381\r\n");
            } else {
                client.succeed(command);
            }
        });
        RedisBackend backend = connect(server.uri());

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("lock \"job\"")
                .hasMessageContaining("MOVED 3999")
                .hasMessageContaining("redis-cluster://host:port");
    }

    @Test
    void api_aServerThatSpeaksNoTlsIsRefusedAtOnce() {
        ScriptedServer server = new ScriptedServer(client -> client.send("-ERR Protocol error\r\n"));
        opened.add(server);
        RedisBackend backend = connect("rediss://" + server.address());

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("SSL");
    }

    @Test
    void v2_aServerThatCannotBeReachedIsNoRefusal() throws Exception {
        // Nobody listens at its port, and nobody else gets the port.
        try (Socket bound = new Socket()) {
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            String address = bound.getLocalAddress().getHostAddress() + ":" + bound.getLocalPort();
            RedisBackend backend = connect("redis://" + address);

            assertThatThrownBy(() -> attempt(backend, PATIENCE))
                    .isInstanceOf(JedisConnectionException.class)
                    .hasMessageContaining("cannot connect to " + address)
                    .hasMessageContaining("refused");
        }
    }

    private record Counted(RedisGrant grant, AtomicInteger renewed) implements Renewal {
        @Override
        public Duration lease() {
            return LEASE;
        }

        @Override
        public void renewed(Validity validity) {
            renewed.incrementAndGet();
        }

        @Override
        public void gone() {}

        @Override
        public void unknown(Throwable cause) {}
    }
}
