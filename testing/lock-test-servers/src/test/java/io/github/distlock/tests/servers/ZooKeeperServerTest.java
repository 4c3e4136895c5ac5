package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(120)
@Tag("servers")
@ResourceLock("starts servers and processes")
class ZooKeeperServerTest {
    private static final Duration TICK = Duration.ofMillis(300);

    private static ZooKeeperServer server;

    @BeforeAll
    static void start() {
        server = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                .tickTime(TICK)
                .minSessionTimeout(TICK.multipliedBy(2))
                .maxSessionTimeout(TICK.multipliedBy(40)));
    }

    @AfterAll
    static void close() {
        server.close();
    }

    @Test
    void api_aStartedServerServesAndReportsItsVersion() throws Exception {
        assertTrue(server.isServing());
        assertFalse(server.isLeader());
        assertTrue(server.version().matches("\\d+\\.\\d+\\.\\d+"), server.version());
        ZooKeeperSession.create(server.connectString(), "/served");
        assertTrue(ZooKeeperSession.exists(server.connectString(), "/served"));
    }

    @Test
    void api_settingsBoundSessionTimeouts() throws Exception {
        try (ZooKeeperSession shortest = new ZooKeeperSession(server.connectString(), 300);
                ZooKeeperSession longest = new ZooKeeperSession(server.connectString(), 60_000)) {
            assertEquals(TICK.toMillis() * 2, shortest.zooKeeper.getSessionTimeout());
            assertEquals(TICK.toMillis() * 40, longest.zooKeeper.getSessionTimeout());
        }
    }

    @Test
    void api_aPausedServerAnswersNothingUntilItIsResumed() throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(server.connectString())) {
            server.pause();
            assertTrue(server.isRunning());
            assertFalse(server.isServing());
            server.resume();
            session.create("/paused");
        }
    }

    @Test
    void api_aKilledServerRestartsWithOrWithoutItsData() throws Exception {
        int port = server.port();
        ZooKeeperSession.create(server.connectString(), "/kept");
        server.kill();
        assertFalse(server.isRunning());
        server.restart(true);
        assertEquals(port, server.port());
        assertTrue(ZooKeeperSession.exists(server.connectString(), "/kept"));
        server.restart(false);
        assertEquals(port, server.port());
        assertFalse(ZooKeeperSession.exists(server.connectString(), "/kept"));
    }

    @Test
    void api_systemPropertiesReachTheServer() throws Exception {
        ZooKeeperSettings settings =
                ZooKeeperSettings.defaults().withSystemProperty("znode.container.checkIntervalMs", "100");
        try (ZooKeeperServer another = ZooKeeperServer.start(settings);
                ZooKeeperSession session = new ZooKeeperSession(another.connectString())) {
            ZooKeeper zooKeeper = session.zooKeeper;
            zooKeeper.create("/parent", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER);
            session.create("/parent/child");
            zooKeeper.delete("/parent/child", -1);
            assertTrue(session.await(() -> zooKeeper.exists("/parent", false) == null));
        }
    }

    @Test
    void api_settingsRejectInvalidValues() {
        ZooKeeperSettings settings = ZooKeeperSettings.defaults();
        assertThrows(IllegalArgumentException.class, () -> settings.tickTime(Duration.ZERO));
        assertThrows(NullPointerException.class, () -> settings.with("key", null));
    }
}
