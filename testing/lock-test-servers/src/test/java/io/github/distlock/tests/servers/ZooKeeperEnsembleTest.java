package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.waiting.Waiting;
import java.net.ConnectException;
import java.net.Socket;
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

    @Test
    void api_faultsOfAnEnsembleConcernAllMembers() {
        ENSEMBLE.pause();
        assertTrue(ENSEMBLE.members().stream().noneMatch(ZooKeeperServer::isServing));

        ENSEMBLE.resume();
        ENSEMBLE.awaitQuorum();

        ENSEMBLE.kill();
        assertTrue(ENSEMBLE.members().stream().noneMatch(Server::isRunning));
        ENSEMBLE.restart(true);
        assertTrue(ENSEMBLE.isRunning());
    }

    @Test
    void api_aProxyBeforeAnEnsembleHasAnAddressForEachMember() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(ENSEMBLE)) {
            List<String> addresses = List.of(proxy.address().split(",", -1));
            assertEquals(3, addresses.size());
            for (String address : addresses) {
                ZooKeeperSession.create(address, "/through-" + address);
                assertTrue(ZooKeeperSession.exists(ENSEMBLE.connectString(), "/through-" + address));
            }

            proxy.refuse();

            for (String address : addresses) {
                int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
                assertThrows(ConnectException.class, () -> new Socket(proxy.host(), port).close());
            }
        }
    }
}
