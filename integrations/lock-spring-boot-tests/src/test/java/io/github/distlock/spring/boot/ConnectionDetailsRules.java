package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.servers.RedisCluster;
import io.github.distlock.tests.servers.RedisSentinels;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.ServerCertificate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.support.GenericApplicationContext;
import redis.clients.jedis.Jedis;

/**
 * Locks over a bean of Boot's connection details, without an address among the properties. {@code @ServiceConnection},
 * Docker Compose and Testcontainers make such a bean. The servers demand TLS and a certificate of the client, which
 * comes from the SSL bundle of the bean.
 *
 * @param <D> the connection details of one generation of Boot
 */
abstract class ConnectionDetailsRules<D> {
    static final String USER = "app";
    static final String PASSWORD = "secret";

    @TempDir
    private static Path directory;

    private static ServerCertificate certificate;
    private final Class<D> type;

    ConnectionDetailsRules(Class<D> type) {
        this.type = type;
    }

    /** Returns the details of a server that knows {@link #USER} and {@link #PASSWORD}. */
    abstract D server(String host, int port, SslBundle bundle);

    /** Returns the details of sentinels, as {@code host:port}. */
    abstract D sentinels(List<String> addresses, String primary, SslBundle bundle);

    /** Returns the details of a cluster, whose nodes are {@code host:port}. */
    abstract D cluster(List<String> addresses, SslBundle bundle);

    @BeforeAll
    static void makeCertificate() throws Exception {
        certificate = new ServerCertificate(directory);
    }

    private static String[] lines(String... more) {
        List<String> lines = new ArrayList<>(certificate.redisLines());
        lines.addAll(List.of(more));
        return lines.toArray(String[]::new);
    }

    static String host(String address) {
        return address.substring(0, address.lastIndexOf(':'));
    }

    static int port(String address) {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    private static List<String> addresses(List<RedisServer> servers) {
        return servers.stream().map(RedisServer::tlsAddress).toList();
    }

    @Test
    void theDetailsOfAServer() {
        try (RedisServer server =
                RedisServer.startProcess(lines("user " + USER + " on >" + PASSWORD + " ~* &* +@all"))) {
            String address = server.tlsAddress();

            expectLocks(bundle -> server(host(address), port(address), bundle), server);
        }
    }

    @Test
    void theDetailsOfSentinels() {
        try (RedisSentinels servers = RedisSentinels.start(0, 1, Duration.ofSeconds(60), lines())) {
            List<String> addresses = addresses(servers.sentinels());

            expectLocks(bundle -> sentinels(addresses, RedisSentinels.PRIMARY, bundle), servers.primary());
        }
    }

    @Test
    void theDetailsOfACluster() {
        try (RedisCluster cluster = RedisCluster.start(3, 0, Duration.ofHours(1), lines("tls-cluster yes"))) {
            List<String> addresses = addresses(cluster.members());

            expectLocks(bundle -> cluster(addresses, bundle), cluster.primaryOf("distlock:orders/42"));
        }
    }

    /** Expects that an application with these details takes a lock, whose key is on the server. */
    private void expectLocks(Function<SslBundle, D> details, RedisServer server) {
        Contexts.springDataRedis()
                .withPropertyValues(
                        "spring.ssl.bundle.pem.redis.keystore.certificate=file:" + certificate.certificateFile(),
                        "spring.ssl.bundle.pem.redis.keystore.private-key=file:" + certificate.keyFile(),
                        "spring.ssl.bundle.pem.redis.truststore.certificate=file:" + certificate.certificateFile(),
                        "distlock.request-timeout=10s")
                .withInitializer(context -> ((GenericApplicationContext) context)
                        .registerBean(
                                type,
                                () -> details.apply(
                                        context.getBean(SslBundles.class).getBundle("redis"))))
                .withBean(RedisApplicationTest.Orders.class)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    try (Jedis redis = new Jedis(server.uri())) {
                        boolean isLocked = context.getBean(RedisApplicationTest.Orders.class)
                                .ship(42, () -> redis.exists("distlock:orders/42"));

                        assertThat(isLocked).isTrue();
                    }
                });
    }
}
