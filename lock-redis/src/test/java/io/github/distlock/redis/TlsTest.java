package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.ServerCertificate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;

/** The backend's own connections over TLS, to a server with a certificate that nobody has signed. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TlsTest {
    private static final Duration REQUEST = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    private static Path directory;

    /** Has the server's key, and trusts its certificate. */
    private static SSLContext tls;

    private final RecordingContext context =
            new RecordingContext(UUID.randomUUID().toString());

    @BeforeAll
    static void makeCertificate() throws Exception {
        tls = new ServerCertificate(directory).withKey();
    }

    private static ScriptedServer serve(ScriptedServer.Behavior behavior) {
        return new ScriptedServer(tls.getServerSocketFactory(), client -> client.answerAll(behavior));
    }

    private static JedisClientConfig trusting() {
        return config(tls);
    }

    @SuppressWarnings("deprecation") // SslOptions would need the certificate in a file.
    static JedisClientConfig config(SSLContext tls) {
        return DefaultJedisClientConfig.builder()
                .ssl(true)
                .sslSocketFactory(tls.getSocketFactory())
                .build();
    }

    private static HostAndPort address(ScriptedServer server) {
        return HostAndPort.from(server.address());
    }

    private static Attempt attempt(RedisBackend backend) throws InterruptedException {
        LockOwner owner = LockOwner.of("host", 7, "client", "thread");
        LockRequest request = LockRequest.exclusive("job", Duration.ofSeconds(30), owner);
        return backend.contend(request.withoutWaiting(), new IgnoredSignals()).attempt(deadline(PATIENCE));
    }

    private static Deadline deadline(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    @Test
    void api_aCertificateThatIsNotTrustedIsRefusedAtOnce() {
        try (ScriptedServer server = serve(ScriptedServer.Client::succeed);
                RedisBackend backend = RedisBackend.connect("rediss://" + server.address())) {
            backend.start(context);

            assertThatThrownBy(() -> attempt(backend))
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("lock \"job\"")
                    .hasMessageContaining("unable to find valid certification path");
        }
    }

    @Test
    void api_aTrustedCertificateIsAccepted() throws InterruptedException {
        try (ScriptedServer server = serve(ScriptedServer.Client::succeed);
                RedisBackend backend = RedisBackend.builder("rediss://" + server.address())
                        .clientConfig(trusting())
                        .build()) {
            backend.start(context);

            assertInstanceOf(Attempt.Granted.class, attempt(backend));
        }
    }

    /** The sentinels have the settings of TLS, too. */
    @Test
    void api_sentinelsAndTheirPrimaryAreReachedOverTls() throws InterruptedException {
        try (ScriptedServer primary = serve((client, command) -> {
                    if (command.get(0).equals("ROLE")) {
                        client.send("*1\r\n$6\r\nmaster\r\n");
                    } else {
                        client.succeed(command);
                    }
                });
                ScriptedServer sentinel = serve((client, command) -> {
                    String port = String.valueOf(address(primary).getPort());
                    if (command.get(0).equals("SENTINEL")) {
                        client.send("*2\r\n$9\r\n127.0.0.1\r\n$" + port.length() + "\r\n" + port + "\r\n");
                    } else {
                        client.succeed(command);
                    }
                });
                RedisBackend backend = RedisBackend.builder("rediss-sentinel://" + sentinel.address() + "/locks")
                        .clientConfig(trusting())
                        .build()) {
            backend.start(context);

            assertInstanceOf(Attempt.Granted.class, attempt(backend));
        }
    }

    @Test
    void v8_aWriteToAServerThatDoesNotReadEndsAtTheDeadline() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        ScriptedServer.Behavior readsNoMore = (client, command) -> {
            client.succeed(command);
            try {
                var unused = end.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        RedisContext redis = new RedisContext(LockClock.system(), replaced -> {});
        redis.start(context);
        try (ScriptedServer server = serve(readsNoMore)) {
            OpenConnections connections = new OpenConnections(
                    address(server), trusting(), ServerConnection.Check.ALIVE, new LateExchanges(redis));
            ServerConnection connection = connections.connect(deadline(PATIENCE));
            byte[] much = new byte[32 * 1024 * 1024];
            long begin = System.nanoTime();

            assertThatThrownBy(() -> connection.exchange(
                            jedis -> {
                                jedis.sendCommand(Command.ECHO, much);
                                return jedis.getOne();
                            },
                            deadline(REQUEST)))
                    .hasMessageContaining("has not answered in time");

            assertThat(Duration.ofNanos(System.nanoTime() - begin))
                    .as("the server reads again after %s", PATIENCE)
                    .isLessThan(PATIENCE.dividedBy(2));
            end.countDown();
            connections.close("the test has ended");
        }
    }
}
