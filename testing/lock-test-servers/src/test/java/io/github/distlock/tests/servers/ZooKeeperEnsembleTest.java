package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(180)
@ResourceLock("starts servers and processes")
class ZooKeeperEnsembleTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final ZooKeeperEnsemble ENSEMBLE =
            ZooKeeperEnsemble.start(ZooKeeperSettings.defaults().tickTime(Duration.ofMillis(250)));

    @AfterAll
    static void close() {
        ENSEMBLE.close();
    }

    @BeforeEach
    void awaitQuorum() {
        ENSEMBLE.awaitQuorum();
    }

    @Test
    void api_oneMemberLeadsAndAllServeTheSameState() throws Exception {
        ZooKeeperServer leader = ENSEMBLE.leader();
        assertTrue(leader.isLeader());
        assertEquals(2, ENSEMBLE.followers().size());
        try (ZooKeeperSession session = new ZooKeeperSession(leader.connectString())) {
            session.create("/shared");
        }
        for (ZooKeeperServer member : ENSEMBLE.members()) {
            try (ZooKeeperSession session = new ZooKeeperSession(member.connectString())) {
                session.sync("/shared");
                assertNotNull(session.zooKeeper.exists("/shared", false));
            }
        }
    }

    @Test
    void api_anotherMemberLeadsWhenTheLeaderIsKilled() throws Exception {
        ZooKeeperServer old = ENSEMBLE.leader();
        old.kill();
        assertNotSame(old, ENSEMBLE.leader());
        try (ZooKeeperSession session = new ZooKeeperSession(ENSEMBLE.connectString())) {
            session.create("/afterwards");
        }
        old.restart(true);
        ENSEMBLE.awaitQuorum();
        assertFalse(old.isLeader());
        assertTrue(old.isServing());
    }

    @Test
    void api_aMemberThatLostItsDataGetsThemFromTheOthers() throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(ENSEMBLE.connectString())) {
            session.create("/copied");
        }
        ZooKeeperServer follower = ENSEMBLE.followers().get(0);
        follower.restart(false);
        ENSEMBLE.awaitQuorum();
        try (ZooKeeperSession session = new ZooKeeperSession(follower.connectString())) {
            assertNotNull(session.zooKeeper.exists("/copied", false));
        }
    }

    @Test
    void api_withoutAQuorumNobodyServes() {
        ZooKeeperServer leader = ENSEMBLE.leader();
        List<ZooKeeperServer> followers = ENSEMBLE.followers();
        followers.forEach(Server::pause);
        try {
            assertTrue(Waiting.until(LIMIT, () -> !leader.isServing()));
            assertTrue(leader.isRunning());
        } finally {
            followers.forEach(Server::resume);
        }
        ENSEMBLE.awaitQuorum();
    }

    @Test
    void api_allCanBeRestartedWithTheirDataOrWithout() throws Exception {
        try (ZooKeeperSession session = new ZooKeeperSession(ENSEMBLE.connectString())) {
            session.create("/kept");
        }
        ENSEMBLE.members().forEach(Server::kill);
        ENSEMBLE.restart(true);
        try (ZooKeeperSession session = new ZooKeeperSession(ENSEMBLE.connectString())) {
            assertNotNull(session.zooKeeper.exists("/kept", false));
        }
        ENSEMBLE.restart(false);
        try (ZooKeeperSession session = new ZooKeeperSession(ENSEMBLE.connectString())) {
            assertNull(session.zooKeeper.exists("/kept", false));
        }
    }
}
