package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.auth.DigestLoginModule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Clients that authenticate with SASL. All clients and servers of a JVM share its login configuration. So the server
 * runs in this JVM, and no other test runs meanwhile.
 */
@DisplayNameGeneration(PromiseNames.class)
@Isolated("changes the JVM's login configuration")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AuthenticationTest {
    private static final String PASSWORD = "right";
    /** While it is true, clients refuse DIGEST-MD5. */
    private static final String FIPS_MODE = "zookeeper.fips-mode";

    private final Logins logins = new Logins();
    private ServerCnxnFactory server;
    private String address;

    @BeforeEach
    void start(@TempDir Path directory) throws IOException, InterruptedException {
        Configuration.setConfiguration(logins);
        System.setProperty(FIPS_MODE, "false");
        logins.put("Server", Map.of("user_client", PASSWORD));
        server = ServerCnxnFactory.createFactory(new InetSocketAddress("localhost", 0), 100);
        server.startup(new ZooKeeperServer(directory.toFile(), directory.toFile(), 500));
        address = "localhost:" + server.getLocalPort();
    }

    @AfterEach
    void stop() {
        server.shutdown();
        Configuration.setConfiguration(null);
        System.clearProperty(FIPS_MODE);
    }

    private void logInWith(String password) {
        logins.put("Client", Map.of("username", "client", "password", password));
    }

    private static void expectRefusal(LockClient locks) {
        assertThatThrownBy(() -> locks.lock("lock").acquire())
                .isInstanceOf(LockException.class)
                .hasCauseInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("AuthFailed");
    }

    @Test
    void api_anOwnClientFailsAtOnceAndRecoversOnceThePasswordIsRight() throws Exception {
        logInWith("wrong");
        try (LockClient locks = LockClient.create(ZooKeeperBackend.connect(address))) {
            expectRefusal(locks);
            expectRefusal(locks);

            logInWith(PASSWORD);

            try (LockHandle held = locks.lock("lock").acquire()) {
                assertThat(held.isHeld()).isTrue();
            }
        }
    }

    @Test
    void api_aSuppliedClientWhoseAuthenticationHasFailedIsRefusedAtOnce() throws Exception {
        logInWith("wrong");
        try (CuratorFramework curator = CuratorFrameworkFactory.newClient(address, new RetryOneTime(100));
                LockClient locks = LockClient.create(ZooKeeperBackend.of(curator))) {
            curator.start();

            expectRefusal(locks);
            expectRefusal(locks);
        }
    }

    @Test
    void api_anOwnClientRecoversFromAFailureOfItsOwn() throws Exception {
        logInWith(PASSWORD);
        System.setProperty(FIPS_MODE, "true");
        try (LockClient locks = LockClient.create(ZooKeeperBackend.connect(address))) {
            expectRefusal(locks);

            System.setProperty(FIPS_MODE, "false");

            locks.lock("lock").acquire().close();
        }
    }

    /** The login configuration of this JVM, by name. */
    private static final class Logins extends Configuration {
        private final Map<String, Map<String, String>> entries = new ConcurrentHashMap<>();

        void put(String name, Map<String, String> options) {
            entries.put(name, options);
        }

        @Override
        public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
            Map<String, String> options = entries.get(name);
            if (options == null) {
                return null;
            }
            return new AppConfigurationEntry[] {
                new AppConfigurationEntry(
                        DigestLoginModule.class.getName(),
                        AppConfigurationEntry.LoginModuleControlFlag.REQUIRED,
                        options)
            };
        }
    }
}
