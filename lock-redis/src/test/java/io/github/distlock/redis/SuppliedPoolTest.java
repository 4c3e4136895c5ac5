package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.Pool;

/** Connections from the pool of a caller-supplied client, to servers that misbehave. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SuppliedPoolTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration REQUEST = Duration.ofMillis(500);
    /** More than a busy machine needs, less than the timeouts of the clients. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final int CLIENT_TIMEOUT_MILLIS = 40_000;

    private final RecordingContext context = new RecordingContext("supplied");
    private final ConnectionPoolConfig settings = new ConnectionPoolConfig();
    private final CountDownLatch end = new CountDownLatch(1);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        end.countDown();
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private ScriptedServer serve(ScriptedServer.Behavior behavior) {
        ScriptedServer server = ScriptedServer.answering((client, command) -> {
            if (command.get(0).equals("HELLO")) {
                client.send("-ERR unknown command 'HELLO'\r\n");
            } else {
                behavior.answer(client, command);
            }
        });
        opened.add(server);
        return server;
    }

    /** Makes a client whose pool has one idle connection. */
    private RedisClient client(ScriptedServer server) {
        RedisClient client = RedisClient.builder()
                .hostAndPort(HostAndPort.from(server.address()))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis(CLIENT_TIMEOUT_MILLIS)
                        .build())
                .poolConfig(settings)
                .build();
        opened.add(0, client);
        assertEquals("PONG", client.ping());
        return client;
    }

    private RedisBackend backend(RedisClient client) {
        RedisBackend backend = RedisBackend.of(client);
        backend.start(context);
        opened.add(0, backend);
        return backend;
    }

    private static RedisContender contender(RedisBackend backend) {
        LockRequest request = LockRequest.exclusive("job", LEASE, LockOwner.of("host", 7, "client", "thread"))
                .withoutWaiting();
        return (RedisContender) backend.contend(request, new IgnoredSignals());
    }

    @CanIgnoreReturnValue
    private static RedisContender acquire(RedisBackend backend, Duration time) throws InterruptedException {
        RedisContender contender = contender(backend);
        assertInstanceOf(Attempt.Granted.class, contender.attempt(deadline(time)));
        return contender;
    }

    private static Deadline deadline(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    private static boolean isScript(List<String> command) {
        return command.get(0).startsWith("EVAL");
    }

    private static long scripts(ScriptedServer server) {
        return server.commands().stream().filter(SuppliedPoolTest::isScript).count();
    }

    private void awaitEnd() {
        try {
            assertTrue(end.await(PATIENCE.multipliedBy(4).toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void expectEnd(long begin) {
        Duration taken = Duration.ofNanos(System.nanoTime() - begin);
        assertThat(taken).isLessThan(REQUEST.plus(Duration.ofSeconds(8)));
    }

    private static void awaitUnused(Pool<Connection> pool) {
        Waiting.await("no connection is in use", PATIENCE, () -> pool.getNumActive() == 0);
    }

    /** A connection that the pool drops counts as unused before it counts as dropped. */
    private static void awaitOneDropped(Pool<Connection> pool) {
        Waiting.await("the pool has dropped one connection", PATIENCE, () -> pool.getDestroyedCount() == 1);
    }

    // The pool's connections

    @Test
    void s1_aLateReplyNeverReachesTheNextUserOfThePool() {
        settings.setMaxTotal(1);
        ScriptedServer server = serve((client, command) -> {
            if (isScript(command)) {
                awaitEnd();
            }
            client.succeed(command);
        });
        RedisClient client = client(server);
        RedisBackend backend = backend(client);

        assertThatThrownBy(() -> acquire(backend, REQUEST)).hasMessageContaining("has not answered in time");

        awaitUnused(client.getPool());
        end.countDown();
        awaitOneDropped(client.getPool());
        assertEquals("PONG", client.ping());
    }

    @Test
    void s1_aReplyToAnotherRequestNeverReachesTheNextUserOfThePool() throws InterruptedException {
        settings.setMaxTotal(1);
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);
        try (Connection outOfStep = client.getPool().getResource()) {
            outOfStep.sendCommand(Command.SET, "unread", "reply");
        }

        acquire(backend(client), PATIENCE);

        awaitUnused(client.getPool());
        awaitOneDropped(client.getPool());
        assertEquals("PONG", client.ping());
    }

    @Test
    void s1_aConnectionThatWasResetIsOfNoUse() {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        LateExchanges late = new LateExchanges(TestNodes.context(LockClock.system(), context));
        try (Connection jedis = new Connection(HostAndPort.from(server.address()))) {
            BorrowedConnection borrowed = new BorrowedConnection(jedis, late);
            jedis.connect();

            borrowed.reset();

            assertThatThrownBy(() -> borrowed.reply(JedisCalls.command(List.of("PING")), deadline(PATIENCE)))
                    .hasMessage("the connection has been closed");
            assertFalse(borrowed.restore());
        }
    }

    @Test
    void api_aConnectionWhoseTimeoutCannotBeRestoredDoesNotReturn() {
        LateExchanges late = new LateExchanges(TestNodes.context(LockClock.system(), context));
        JedisSocketFactory none = () -> {
            throw new JedisConnectionException("there is no server");
        };
        Connection jedis = new Connection(none) {
            @Override
            public void setSoTimeout(int millis) {
                throw new JedisConnectionException("the socket is closed");
            }
        };

        assertFalse(new BorrowedConnection(jedis, late).restore());
    }

    @Test
    void api_aConnectionReturnsWithTheTimeoutOfItsClient() throws InterruptedException {
        settings.setMaxTotal(1);
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);

        acquire(backend(client), PATIENCE);

        try (Connection same = client.getPool().getResource()) {
            assertEquals(CLIENT_TIMEOUT_MILLIS, same.getSoTimeout());
        }
        assertEquals(1, server.connections());
    }

    @Test
    void api_aPoolThatTestsWhatReturnsGetsItsConnectionBack() throws InterruptedException {
        settings.setTestOnReturn(true);
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);

        acquire(backend(client), PATIENCE);

        awaitUnused(client.getPool());
        assertEquals(1, client.getPool().getNumIdle());
        assertEquals(1, server.connections());
    }

    @Test
    void v2_aConnectionToAServerThatIsReadOnlyIsNotUsedAgain() throws InterruptedException {
        ScriptedServer server = serve((client, command) -> {
            if (isScript(command) && client.number == 0) {
                client.send("-READONLY You can't write against a read only replica.\r\n");
            } else {
                client.succeed(command);
            }
        });
        RedisClient client = client(server);
        RedisBackend backend = backend(client);
        assertThatThrownBy(() -> acquire(backend, PATIENCE)).hasMessageContaining("READONLY");
        awaitUnused(client.getPool());

        acquire(backend, PATIENCE);

        assertThat(server.connections()).isGreaterThan(1);
    }

    @Test
    void v4_aRequestSucceedsAfterTheServerHasClosedTheIdleConnections() throws InterruptedException {
        AtomicInteger closed = new AtomicInteger();
        ScriptedServer server = serve((client, command) -> {
            client.succeed(command);
            if (command.get(0).equals("PING") && client.number == 0) {
                client.close();
                closed.incrementAndGet();
            }
        });
        RedisBackend backend = backend(client(server));
        Waiting.await("the connection is closed", PATIENCE, () -> closed.get() == 1);

        RedisContender contender = acquire(backend, PATIENCE);

        assertTrue(contender.mayArriveLate(), "the request was sent again");
        assertThat(context.lostConnections()).as("holds are renewed").containsExactly("");
    }

    @Test
    void v6_aRequestIsSentAgainOnceForEachConnectionThatWasIdle() {
        settings.setMaxTotal(1); // The pool makes another connection in place of one that it drops.
        ScriptedServer server = serve(SuppliedPoolTest::closeAtScript);
        RedisBackend backend = backend(client(server));

        assertThatThrownBy(() -> acquire(backend, PATIENCE)).isInstanceOf(JedisException.class);

        assertEquals(2, scripts(server));
    }

    @Test
    void v6_connectionsThatBecomeIdleMeanwhileAreNotTriedAsWell() {
        List<RedisClient> clients = new ArrayList<>();
        ScriptedServer server = serve((asker, command) -> {
            if (isScript(command)) {
                addIdle(clients.get(0).getPool());
            }
            closeAtScript(asker, command);
        });
        clients.add(client(server));
        RedisBackend backend = backend(clients.get(0));

        assertThatThrownBy(() -> acquire(backend, PATIENCE)).isInstanceOf(JedisException.class);

        assertEquals(2, scripts(server));
    }

    private static void addIdle(Pool<Connection> pool) {
        try {
            pool.addObject();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    // Time

    @Test
    void v4_aReplyThatComesByteByByteEndsAtTheDeadline() {
        ScriptedServer server = serve((client, command) -> {
            if (isScript(command)) {
                client.send("$1000\r\n");
                for (int i = 0; i < 600 && end.getCount() > 0; i++) {
                    client.send("x");
                    Waiting.letPass(Duration.ofMillis(50));
                }
            }
            client.succeed(command);
        });
        RedisBackend backend = backend(client(server));
        long begin = System.nanoTime();

        assertThatThrownBy(() -> acquire(backend, REQUEST)).hasMessageContaining("has not answered in time");

        expectEnd(begin);
    }

    @Test
    void v4_aConnectionThatIsMadeTooLateReturnsToThePool() {
        ScriptedServer server = serve((client, command) -> {
            if (client.number > 0) {
                awaitEnd();
            }
            client.succeed(command);
        });
        RedisClient client = client(server);
        client.getPool().clear();
        RedisBackend backend = backend(client);
        long begin = System.nanoTime();

        assertThatThrownBy(() -> acquire(backend, REQUEST)).hasMessageContaining("has not answered in time");

        expectEnd(begin);
        end.countDown();
        Waiting.await("the connection is idle", PATIENCE, () -> client.getPool().getNumIdle() == 1);
        assertEquals(0, client.getPool().getNumActive());
        assertEquals(0, scripts(server));
    }

    @Test
    void v4_aRequestWaitsForAFreeConnectionUntilItsDeadline() {
        settings.setMaxTotal(1);
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);
        RedisBackend backend = backend(client);
        try (Connection used = client.getPool().getResource()) {
            assertTrue(used.isConnected());
            long begin = System.nanoTime();

            assertThatThrownBy(() -> acquire(backend, REQUEST))
                    .isInstanceOf(JedisException.class)
                    .hasMessageContaining("was free in time; it has at most 1");

            expectEnd(begin);
        }
        assertEquals(0, scripts(server));
    }

    @Test
    void v7_anInterruptEndsTheWaitForAFreeConnection() throws Exception {
        settings.setMaxTotal(1);
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);
        Pool<Connection> pool = client.getPool();
        RedisBackend backend = backend(client);
        try (Connection used = pool.getResource()) {
            assertTrue(used.isConnected());

            interruptWhen(backend, () -> pool.getNumWaiters() == 1);
        }

        awaitUnused(pool);
        assertEquals(0, scripts(server));
    }

    @Test
    void v7_anInterruptEndsTheWaitForANewConnection() throws Exception {
        ScriptedServer server = serve((client, command) -> {
            if (client.number > 0) {
                awaitEnd();
            }
            client.succeed(command);
        });
        RedisClient client = client(server);
        client.getPool().clear();
        RedisBackend backend = backend(client);

        interruptWhen(backend, () -> server.connections() == 2);

        end.countDown();
        Waiting.await("the connection is idle", PATIENCE, () -> client.getPool().getNumIdle() == 1);
        assertEquals(0, scripts(server));
    }

    /** Interrupts a request while it waits, and expects that this ends it. */
    private static void interruptWhen(RedisBackend backend, BooleanSupplier waits) throws Exception {
        FutureTask<Void> interrupted = new FutureTask<>(() -> {
            assertThatThrownBy(() -> acquire(backend, PATIENCE.multipliedBy(3)))
                    .isInstanceOf(InterruptedException.class);
            return null;
        });
        Thread thread = new Thread(interrupted, "interrupted");
        thread.start();
        Waiting.await("the request waits", PATIENCE, waits);

        thread.interrupt();

        interrupted.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    // Threads

    @Test
    void v4_aRequestOverAnIdleConnectionNeedsNoOtherThread() throws InterruptedException {
        RedisClient client = client(serve(ScriptedServer.Client::succeed));
        RedisBackend backend = backend(client);
        context.refuseThreads(role -> true);

        acquire(backend, PATIENCE);

        assertEquals(0, client.getPool().getNumActive());
    }

    @Test
    void v6_aConnectionReturnsAlthoughNoThreadCanBeStarted() {
        RedisClient client = client(serve(SuppliedPoolTest::closeAtScript));
        RedisBackend backend = backend(client);
        context.refuseThreads(role -> true);

        assertThatThrownBy(() -> acquire(backend, PATIENCE)).isInstanceOf(Throwable.class);

        assertEquals(0, client.getPool().getNumActive());
    }

    private static void closeAtScript(ScriptedServer.Client client, List<String> command) throws IOException {
        if (isScript(command)) {
            client.close();
        }
        client.succeed(command);
    }

    @Test
    void v5_aClosedBackendBorrowsNoConnection() {
        ScriptedServer server = serve(ScriptedServer.Client::succeed);
        RedisClient client = client(server);
        RedisBackend backend = backend(client);
        backend.close();

        assertThatThrownBy(() -> acquire(backend, PATIENCE)).hasMessageContaining("the Redis backend is closed");

        assertEquals(0, scripts(server));
    }
}
