package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.ServerCertificate;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Sentinels and a cluster that demand TLS and a certificate from each other and from clients. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class TlsDeploymentsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String name = UUID.randomUUID().toString();

    @TempDir
    private Path directory;

    private ServerCertificate certificate;

    @BeforeEach
    void makeCertificate() throws Exception {
        certificate = new ServerCertificate(directory);
    }

    private static LockClient client(String uri, SSLContext tls) {
        return LockClient.create(
                RedisBackend.builder(uri).clientConfig(TlsTest.config(tls)).build());
    }

    private String[] lines(String... more) throws Exception {
        List<String> lines = new ArrayList<>(certificate.redisLines());
        lines.addAll(List.of(more));
        return lines.toArray(String[]::new);
    }

    /** The primary, its replica and the sentinels have a certificate, too. So a failover needs it at each step. */
    @Test
    void v4_aFailoverIsFollowedOverTls() throws Exception {
        try (RedisSentinels servers = RedisSentinels.start(1, 1, Duration.ofSeconds(60), lines());
                LockClient client = client(servers.tlsUri(), certificate.withKey());
                LockClient other = client(servers.tlsUri(), certificate.withKey())) {
            long before = fencingToken(client);

            servers.failOver();

            Waiting.await("the new primary grants the lock", PATIENCE, () -> isAcquired(other));
            assertThat(fencingToken(client)).isGreaterThan(before);
        }
    }

    private long fencingToken(LockClient client) throws InterruptedException {
        LockHandle held = client.lock(name).acquire();
        long token = held.fencingToken();
        // The former primary may still have granted it. Then the hold is lost.
        var unused = held.release();
        return token;
    }

    private boolean isAcquired(LockClient client) {
        try {
            var handle = client.lock(name).tryAcquire();
            handle.ifPresent(LockHandle::close);
            return handle.isPresent();
        } catch (LockException e) {
            return false;
        }
    }

    @Test
    void api_allNodesOfAClusterAreReachedOverTls() throws Exception {
        try (RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofHours(1), lines("tls-cluster yes"));
                LockClient client = client(cluster.tlsUri(), certificate.withKey());
                LockClient other = client(cluster.tlsUri(), certificate.withKey())) {
            List<String> names = IntStream.range(0, 30).mapToObj(i -> name + i).toList();
            for (String each : names) {
                LockHandle held = client.lock(each).acquire();
                var waiter = other.lock(each).acquireAsync();
                Waiting.await(
                        "it waits",
                        PATIENCE,
                        () -> client.inspector().inspect(each).waiters().size() == 1);
                held.close();
                waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
            }

            assertThat(names.stream()
                            .map(each -> cluster.primaryOf("distlock:" + each))
                            .distinct())
                    .hasSize(3);
        }
    }

    @Test
    void api_aClientWithoutACertificateIsRefused() throws Exception {
        try (RedisSentinels servers = RedisSentinels.start(0, 1, Duration.ofSeconds(60), lines());
                LockClient client = client(servers.tlsUri(), certificate.withoutKey())) {
            assertThatThrownBy(() -> client.lock(name).tryAcquire(Duration.ofSeconds(2)))
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining(name);
        }
    }
}
