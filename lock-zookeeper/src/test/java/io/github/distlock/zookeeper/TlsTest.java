package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.auth.ProviderRegistry;
import org.apache.zookeeper.server.auth.X509AuthenticationProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Clients that connect with TLS, in both directions. A server takes its TLS settings from the system properties of its
 * JVM. So the server runs in this JVM, and no other test runs meanwhile.
 */
@DisplayNameGeneration(PromiseNames.class)
@Isolated("changes system properties")
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TlsTest {
    private static final String PASSWORD = "changeit";
    /** A server process sets this itself. */
    private static final String CERTIFICATES = "zookeeper.authProvider.x509";

    private static final String CONNECTIONS = "zookeeper.serverCnxnFactory";

    private final List<String> properties = new ArrayList<>();
    private Path keys;
    private Path trusted;
    private ServerCnxnFactory server;
    private String address;

    @BeforeEach
    void start(@TempDir Path directory) throws Exception {
        keys = directory.resolve("keys.p12");
        trusted = directory.resolve("trusted.p12");
        makeStores(directory);
        set(CONNECTIONS, "org.apache.zookeeper.server.NettyServerCnxnFactory");
        setStore("keyStore", keys);
        setStore("trustStore", trusted);
        set(CERTIFICATES, X509AuthenticationProvider.class.getName());
        ProviderRegistry.addOrUpdateProvider(CERTIFICATES);
        server = ServerCnxnFactory.createFactory();
        server.configure(new InetSocketAddress("localhost", 0), 100, -1, true);
        Path data = directory.resolve("data");
        server.startup(new ZooKeeperServer(data.toFile(), data.toFile(), 500));
        address = "localhost:" + server.getLocalPort();
    }

    @AfterEach
    void stop() {
        server.shutdown();
        properties.forEach(System::clearProperty);
        ProviderRegistry.reset();
    }

    /** Makes a key whose certificate is its own authority. */
    private void makeStores(Path directory) throws IOException, InterruptedException {
        String certificate = directory.resolve("certificate").toString();
        keytool(
                keys,
                "-genkeypair",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost,ip:127.0.0.1");
        keytool(keys, "-exportcert", "-file", certificate);
        keytool(trusted, "-importcert", "-noprompt", "-file", certificate);
    }

    private static void keytool(Path store, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD, "-alias", "test"));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(output).isZero();
    }

    private void setStore(String kind, Path store) {
        set("zookeeper.ssl." + kind + ".location", store.toString());
        set("zookeeper.ssl." + kind + ".password", PASSWORD);
    }

    private void set(String property, String value) {
        System.setProperty(property, value);
        properties.add(property);
    }

    private static void expectLocks(LockClient locks) throws InterruptedException {
        try (LockHandle held = locks.lock("lock").acquire()) {
            assertThat(held.isHeld()).isTrue();
        }
    }

    @Test
    void api_anOwnClientUsesTlsAsTheSystemPropertiesSay() throws Exception {
        set("zookeeper.client.secure", "true");
        set("zookeeper.clientCnxnSocket", "org.apache.zookeeper.ClientCnxnSocketNetty");

        try (LockClient locks = LockClient.create(ZooKeeperBackend.connect(address))) {
            expectLocks(locks);
        }
    }

    @Test
    void api_aSuppliedClientUsesItsTlsSettings() throws Exception {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKClientConfig.SECURE_CLIENT, "true");
        config.setProperty(ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET, "org.apache.zookeeper.ClientCnxnSocketNetty");

        try (CuratorFramework curator = CuratorFrameworkFactory.builder()
                        .connectString(address)
                        .zkClientConfig(config)
                        .retryPolicy(new RetryOneTime(100))
                        .build();
                LockClient locks = LockClient.create(ZooKeeperBackend.of(curator))) {
            curator.start();

            expectLocks(locks);
        }
    }

    @Test
    void api_aClientWithoutTlsIsNotConnected() {
        try (LockClient locks = LockClient.builder(ZooKeeperBackend.connect(address))
                .outageTimeout(Duration.ofSeconds(3))
                .build()) {
            assertThatThrownBy(() -> locks.lock("lock").acquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining(address)
                    .hasMessageNotContaining(PASSWORD);
        }
    }
}
