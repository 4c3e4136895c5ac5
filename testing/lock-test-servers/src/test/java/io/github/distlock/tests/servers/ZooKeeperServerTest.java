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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(120)
@ResourceLock("starts servers and processes")
class ZooKeeperServerTest {
    private static final Duration TICK = Duration.ofMillis(300);
    private static final ZooKeeperServer SERVER = ZooKeeperServer.start(ZooKeeperSettings.defaults()
            .tickTime(TICK)
            .minSessionTimeout(TICK.multipliedBy(2))
            .maxSessionTimeout(TICK.multipliedBy(40)));

    @AfterAll
    static void close() {
        SERVER.close();
    }

    @Test
    void api_aStartedServerServesAndReportsItsVersion() throws Exception {
        assertTrue(SERVER.isServing());
        assertFalse(SERVER.isLeader());
        assertTrue(SERVER.version().matches("\\d+\\.\\d+\\.\\d+"), SERVER.version());
        ZooKeeperSession.create(SERVER.connectString(), "/served");
        assertTrue(ZooKeeperSession.exists(SERVER.connectString(), "/served"));
    }

    @Test
    void api_settingsBoundSessionTimeouts() throws Exception {
        try (ZooKeeperSession shortest = new ZooKeeperSession(SERVER.connectString(), 300);
                ZooKeeperSession longest = new ZooKeeperSession(SERVER.connectString(), 60_000)) {
            assertEquals(TICK.toMillis() * 2, shortest.zooKeeper.getSessionTimeout());
            assertEquals(TICK.toMillis() * 40, longest.zooKeeper.getSessionTimeout());
        }
    }

    @Test
    void api_aPausedServerAnswersNothingUntilItIsResumed() throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(SERVER.connectString())) {
            SERVER.pause();
            assertTrue(SERVER.isRunning());
            assertFalse(SERVER.isServing());
            SERVER.resume();
            session.create("/paused");
        }
    }

    @Test
    void api_aKilledServerRestartsWithOrWithoutItsData() throws Exception {
        int port = SERVER.port();
        ZooKeeperSession.create(SERVER.connectString(), "/kept");
        SERVER.kill();
        assertFalse(SERVER.isRunning());
        SERVER.restart(true);
        assertEquals(port, SERVER.port());
        assertTrue(ZooKeeperSession.exists(SERVER.connectString(), "/kept"));
        SERVER.restart(false);
        assertEquals(port, SERVER.port());
        assertFalse(ZooKeeperSession.exists(SERVER.connectString(), "/kept"));
    }

    @Test
    void api_systemPropertiesReachTheServer() throws Exception {
        ZooKeeperSettings settings =
                ZooKeeperSettings.defaults().withSystemProperty("znode.container.checkIntervalMs", "100");
        try (ZooKeeperServer server = ZooKeeperServer.start(settings);
                ZooKeeperSession session = new ZooKeeperSession(server.connectString())) {
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
