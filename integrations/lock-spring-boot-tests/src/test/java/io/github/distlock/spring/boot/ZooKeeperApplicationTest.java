package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.util.Map;
import java.util.TreeMap;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.io.DefaultResourceLoader;

/** Applications over a real ZooKeeper, without the Redis backend: one dependency, one property and one annotation. */
class ZooKeeperApplicationTest {
    private static ZooKeeperServer server;
    private static CuratorFramework curator;

    @BeforeAll
    static void startServer() {
        server = ZooKeeperServer.start();
        curator = CuratorFrameworkFactory.newClient(server.connectString(), new RetryForever(100));
        curator.start();
    }

    @AfterAll
    static void stopServer() {
        curator.close();
        server.close();
    }

    @Test
    void theConnectStringAndOneAnnotationSuffice() {
        try (ConfigurableApplicationContext application = start()) {
            boolean isLocked = application
                    .getBean(RedisApplicationTest.Orders.class)
                    .ship(42, () -> isContended("/distlock/orders%2F42"));

            assertThat(application.getBean(LockBackend.class)).isInstanceOf(ZooKeeperBackend.class);
            assertThat(isLocked).isTrue();
            assertThat(isContended("/distlock/orders%2F42")).isFalse();
        }
    }

    @Test
    void aNamespaceSeparatesTheLocksOfAnApplicationFromThoseOfOthers() {
        try (ConfigurableApplicationContext application = start("distlock.namespace", "shop");
                ConfigurableApplicationContext neighbor = start()) {
            LockClient locks = neighbor.getBean(LockClient.class);

            boolean isLocked = application
                    .getBean(RedisApplicationTest.Orders.class)
                    .ship(43, () -> {
                        locks.lock("orders/43").tryAcquire().orElseThrow().close();
                        return isContended("/distlock-shop/orders%2F43");
                    });

            assertThat(isLocked).isTrue();
        }
    }

    @Test
    void healthAsksTheServers() {
        try (ConfigurableApplicationContext application = start()) {
            StoreHealth health = new StoreHealth(application);
            assertThat(health.failures()).isEmpty();

            server.pause();
            try {
                assertThat(health.failures()).containsOnlyKeys("lockClient");
            } finally {
                server.resume();
            }
        }
    }

    private static boolean isContended(String path) {
        try {
            return !curator.getChildren().forPath(path).isEmpty();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static ConfigurableApplicationContext start(String... properties) {
        SpringApplication application = new SpringApplication(
                new DefaultResourceLoader(new FilteredClassLoader("io.github.distlock.redis")),
                RedisApplicationTest.Shop.class);
        Map<String, Object> all = new TreeMap<>(Map.of(
                "spring.main.web-application-type", "none",
                "spring.main.banner-mode", "off",
                "distlock.zookeeper.connect-string", server.connectString()));
        for (int i = 0; i < properties.length; i += 2) {
            all.put(properties[i], properties[i + 1]);
        }
        application.setDefaultProperties(all);
        return application.run();
    }
}
