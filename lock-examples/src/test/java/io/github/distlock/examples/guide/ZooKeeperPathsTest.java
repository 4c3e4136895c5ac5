package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.time.Duration;
import java.util.UUID;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows which paths can be shared with Curator's mutex. The tests create nodes with the names that the mutex uses. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(120)
class ZooKeeperPathsTest {
    private static ZooKeeperServer server;
    private static CuratorFramework curator;

    @BeforeAll
    static void start() {
        server = ZooKeeperServer.start();
        curator = CuratorFrameworkFactory.newClient(server.connectString(), new ExponentialBackoffRetry(50, 3));
        curator.start();
    }

    @AfterAll
    static void stop() {
        curator.close();
        server.close();
    }

    private static void expectExclusion(DistributedLock lock, String path) throws Exception {
        String theirs = path + "/_c_" + UUID.randomUUID() + "-lock-0000000000";
        curator.create().creatingParentContainersIfNeeded().forPath(theirs);
        assertTrue(lock.tryAcquire().isEmpty());
        curator.delete().forPath(theirs);
        try (LockHandle held = lock.acquire()) {
            assertTrue(held.isHeld());
            String ours = curator.getChildren().forPath(path).get(0);
            assertTrue(ours.matches("_c_[0-9a-f-]{36}-lock-\\d{10}"), ours);
        }
        assertEquals(0, curator.getChildren().forPath(path).size());
    }

    @Test
    void s1_pathsOfCuratorAreShared() throws Exception {
        LockClient locks = LockClient.create(ZooKeeperBackend.builder(curator)
                .paths(name -> "/app/locks/" + name)
                .tick(Duration.ofSeconds(2))
                .build());
        expectExclusion(locks.lock("orders"), "/app/locks/orders");
        locks.close();
    }

    @Test
    void s1_pathsOfLock4jAreShared() throws Exception {
        LockClient locks = LockClient.create(ZooKeeperBackend.builder(curator)
                .paths(name -> "/curator/lock4j/lock4j:" + name)
                .build());
        String theirs = "/curator/lock4j/lock4j:com.acme.OrderService.pay#42";
        expectExclusion(locks.lock("com.acme.OrderService.pay#42"), theirs);
        locks.close();
    }

    @Test
    void s1_pathsOfSpringIntegrationAreShared() throws Exception {
        LockClient locks = LockClient.create(ZooKeeperBackend.builder(curator)
                .paths(name -> "/SpringIntegration-LockRegistry/" + name)
                .build());
        expectExclusion(locks.lock("orders"), "/SpringIntegration-LockRegistry/orders");
        locks.close();
    }
}
