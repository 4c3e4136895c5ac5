package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.waiting.Waiting;
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
        ZooKeeperSession.create(leader.connectString(), "/shared");
        for (ZooKeeperServer member : ENSEMBLE.members()) {
            assertTrue(ZooKeeperSession.exists(member.connectString(), "/shared"));
        }
    }

    @Test
    void api_anotherMemberLeadsAfterTheLeaderIsKilled() throws Exception {
        ZooKeeperServer old = ENSEMBLE.leader();
        old.kill();
        assertNotSame(old, ENSEMBLE.leader());
        ZooKeeperSession.create(ENSEMBLE.connectString(), "/afterwards");
        old.restart(true);
        ENSEMBLE.awaitQuorum();
        assertFalse(old.isLeader());
        assertTrue(old.isServing());
    }

    @Test
    void api_aMemberWithoutItsDataCopiesThemFromTheOthers() throws Exception {
        ZooKeeperSession.create(ENSEMBLE.connectString(), "/copied");
        ZooKeeperServer follower = ENSEMBLE.followers().get(0);
        follower.restart(false);
        ENSEMBLE.awaitQuorum();
        assertTrue(ZooKeeperSession.exists(follower.connectString(), "/copied"));
    }

    @Test
    void api_withoutAQuorumNoMemberServes() {
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
    void api_anEnsembleRestartsWithOrWithoutItsData() throws Exception {
        ZooKeeperSession.create(ENSEMBLE.connectString(), "/kept");
        ENSEMBLE.members().forEach(Server::kill);
        ENSEMBLE.restart(true);
        assertTrue(ZooKeeperSession.exists(ENSEMBLE.connectString(), "/kept"));
        ENSEMBLE.restart(false);
        assertFalse(ZooKeeperSession.exists(ENSEMBLE.connectString(), "/kept"));
    }
}
