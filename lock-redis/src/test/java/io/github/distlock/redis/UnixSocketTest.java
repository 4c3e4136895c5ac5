package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** The backend's own connections over the Unix socket of a real server, and over sockets whose server is silent. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class UnixSocketTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration REQUEST = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int MORE_THAN_A_QUEUE = 100;
    private static final int MUCH = 32 * 1024 * 1024;

    @TempDir
    private static Path directory;

    private static Path file;
    private static RedisServer server;

    private final String name = UUID.randomUUID().toString();

    @BeforeAll
    static void start() {
        file = directory.resolve("redis.sock");
        server = RedisServer.startProcess("unixsocket " + file, "user me on >a@b ~* &* +@all");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String uri() {
        return "redis+unix://" + file;
    }

    private static Deadline deadline(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    // A real server

    @Test
    void s1_clientsOverAUnixSocketAndOverTcpExcludeEachOther() throws Exception {
        try (LockClient client = LockClient.create(RedisBackend.connect(uri()));
                LockClient other = LockClient.create(RedisBackend.connect(server.uri()))) {
            LockHandle held = client.lock(name).acquire();

            assertThat(other.lock(name).tryAcquire()).isEmpty();

            held.close();
            other.lock(name).acquire().close();
        }
    }

    @Test
    void v3_aHandoffReachesAWaiterOverAUnixSocket() throws Exception {
        RedisBackend backend = TestContender.started(RedisBackend.connect(uri()));
        try (backend) {
            TestContender holder = TestContender.waiting(backend, name, LEASE);
            var held = holder.acquire();
            TestContender waiter = TestContender.waiting(backend, name, LEASE);
            waiter.findBusy();
            Waiting.await("it is subscribed", PATIENCE, () -> waiter.wakeUps.get() == 1);

            var unused = held.release(TestContender.deadline());

            Waiting.await("it is notified", PATIENCE, () -> waiter.wakeUps.get() == 2);
            waiter.acquire();
        }
    }

    @Test
    void api_userPasswordAndDatabaseOfTheAddressHaveAnEffect() throws Exception {
        try (RedisClient third = RedisClient.create(server.uri() + "/3")) {
            try (LockClient client =
                            LockClient.create(RedisBackend.connect("redis+unix://me:a%40b@" + file + "?database=3"));
                    LockHandle held = client.lock(name).acquire()) {
                assertTrue(held.isHeld());
                assertTrue(third.exists("distlock:" + name));
            }
        }
    }

    @Test
    void v4_aRequestToAStoppedServerEndsAtItsDeadline() throws InterruptedException {
        RedisBackend backend = TestContender.started(RedisBackend.connect(uri()));
        try (backend) {
            var held = TestContender.trying(backend, "another-" + name, LEASE).acquire();
            server.pause();
            long begin = System.nanoTime();

            assertThatThrownBy(() -> held.release(deadline(REQUEST))).hasMessageContaining("has not answered in time");

            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(PATIENCE);
        } finally {
            server.resume();
        }
    }

    @Test
    void v2_anAcquireOutlivesARestartThatMakesTheFileAnew() throws Exception {
        Path its = directory.resolve("restarted.sock");
        try (RedisServer restarted = RedisServer.startProcess("unixsocket " + its);
                LockClient client = LockClient.create(RedisBackend.connect("redis+unix://" + its))) {
            client.lock(name).acquire().close();
            restarted.kill();
            CompletableFuture<LockHandle> acquired = client.lock(name).acquireAsync();

            restarted.restart(false);

            acquired.get(PATIENCE.toSeconds() * 2, TimeUnit.SECONDS).close();
        }
    }

    @Test
    void v2_aMissingFileCountsAsAServerThatDoesNotAnswer() {
        Path missing = directory.resolve("missing.sock");
        try (LockClient client = LockClient.create(RedisBackend.connect("redis+unix://" + missing))) {
            assertThatThrownBy(() -> client.lock(name).tryAcquire(REQUEST))
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("unix:" + missing)
                    .hasMessageContaining("No such file");
        }
    }

    @Test
    void api_tlsIsRefused() {
        RedisBackendBuilder builder = RedisBackend.builder(uri())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .sslOptions(SslOptions.builder().build())
                        .build());

        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("clientConfig must not have TLS for a Unix socket");
    }

    // A server that does nothing

    private interface Use {
        void of(Socket socket) throws IOException;
    }

    private interface Action {
        void on(Connected connected) throws Exception;
    }

    /** Both ends of a connection. */
    private record Connected(ConnectionSocket own, Socket socket, SocketChannel peer) {
        /** Uses the socket on another thread, and returns it when it can go no further. */
        Thread blocked(Use use, AtomicReference<Throwable> end) {
            Thread thread = new Thread(() -> {
                try {
                    use.of(socket);
                } catch (IOException | RuntimeException e) {
                    end.set(e);
                }
            });
            thread.start();
            Waiting.await("it waits", PATIENCE, () -> thread.getState() == Thread.State.RUNNABLE && waits(thread));
            return thread;
        }

        private static boolean waits(Thread thread) {
            return Arrays.stream(thread.getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("select"));
        }
    }

    /** Returns a path that no other test uses. Some systems allow no more than 103 bytes. */
    private Path ownFile() {
        return directory.resolve(name.substring(0, 8));
    }

    private ConnectionSocket own(Path its) {
        return new ConnectionSocket(
                new SocketFile(its.toString()),
                DefaultJedisClientConfig.builder().build(),
                deadline(PATIENCE));
    }

    private void connected(Action action) throws Exception {
        Path its = ownFile();
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(its));
            ConnectionSocket own = own(its);
            try (Socket socket = own.createSocket();
                    SocketChannel peer = listening.accept()) {
                action.on(new Connected(own, socket, peer));
            }
        }
    }

    private static void expectEnd(Thread thread) throws InterruptedException {
        thread.join(PATIENCE.toMillis());
        assertFalse(thread.isAlive(), "it still waits");
    }

    @Test
    void v4_aResetWakesAThreadThatReads() throws Exception {
        connected(connected -> {
            AtomicReference<Throwable> end = new AtomicReference<>();
            connected.socket.setSoTimeout(0);
            Thread reader = connected.blocked(socket -> socket.getInputStream().read(), end);

            connected.own.reset();

            expectEnd(reader);
            assertThat(end.get()).isInstanceOf(SocketException.class).hasMessage("the socket is closed");
            assertEquals(-1, connected.peer.read(ByteBuffer.allocate(1)), "the server sees the end");
        });
    }

    @Test
    void v4_aResetWakesAThreadThatWrites() throws Exception {
        connected(connected -> {
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread writer = connected.blocked(socket -> socket.getOutputStream().write(new byte[MUCH]), end);

            connected.own.reset();

            expectEnd(writer);
            assertThat(end.get()).isInstanceOf(SocketException.class).hasMessage("the socket is closed");
        });
    }

    @Test
    void v4_aReadEndsAfterItsTimeout() throws Exception {
        connected(connected -> {
            connected.socket.setSoTimeout(200);

            assertThatThrownBy(() -> connected.socket.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class);

            connected.peer.write(ByteBuffer.wrap(new byte[] {(byte) 200}));
            assertEquals(200, connected.socket.getInputStream().read(), "the socket is still usable");
        });
    }

    @Test
    void v4_anInterruptEndsNoReadAndIsKept() throws Exception {
        connected(connected -> {
            AtomicBoolean interrupted = new AtomicBoolean();
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread reader = connected.blocked(
                    socket -> {
                        if (socket.getInputStream().read() == 7) {
                            interrupted.set(Thread.currentThread().isInterrupted());
                        }
                    },
                    end);

            reader.interrupt();
            Waiting.await("it waits again", PATIENCE, () -> !reader.isInterrupted() && Connected.waits(reader));
            connected.peer.write(ByteBuffer.wrap(new byte[] {7}));

            expectEnd(reader);
            assertThat(end.get()).isNull();
            assertThat(interrupted).isTrue();
        });
    }

    /** A reading thread and a writing one do not wait for each other. */
    @Test
    void v4_aSocketIsReadWhileAnotherThreadWrites() throws Exception {
        connected(connected -> {
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread writer = connected.blocked(socket -> socket.getOutputStream().write(new byte[MUCH]), end);

            connected.peer.write(ByteBuffer.wrap(new byte[] {7}));

            assertEquals(7, connected.socket.getInputStream().read());
            ByteBuffer received = ByteBuffer.allocate(MUCH);
            while (received.hasRemaining()) {
                assertThat(connected.peer.read(received)).isPositive();
            }
            expectEnd(writer);
            assertThat(end.get()).isNull();
        });
    }

    @Test
    void v4_aConnectionThatIsResetBeforeItIsMadeFails() {
        ConnectionSocket own = own(file);

        own.reset();

        assertThatThrownBy(own::createSocket).hasMessageContaining("the connection has been reset");
    }

    @Test
    void v4_aFullQueueOfConnectionsFailsAtOnce() throws Exception {
        Path its = ownFile();
        List<Socket> waiting = new ArrayList<>();
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(its), 1);

            assertThatThrownBy(() -> {
                        for (int i = 0; i < MORE_THAN_A_QUEUE; i++) {
                            waiting.add(own(its).createSocket());
                        }
                    })
                    .isInstanceOf(JedisConnectionException.class)
                    .hasMessageContaining("cannot connect to unix:" + its);
        } finally {
            for (Socket each : waiting) {
                each.close();
            }
        }
    }
}
