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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(420) // Longer than the waits of a test together, each of which says what it has waited for.
@Tag("servers")
@ResourceLock("starts servers and processes")
class ZooKeeperEnsembleTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static ZooKeeperEnsemble ensemble;

    @BeforeAll
    static void start() {
        ensemble = ZooKeeperEnsemble.start(ZooKeeperSettings.defaults().tickTime(Duration.ofMillis(250)));
    }

    @AfterAll
    static void close() {
        ensemble.close();
    }

    @BeforeEach
    void awaitQuorum() {
        ensemble.awaitQuorum();
    }

    @Test
    void api_oneMemberLeadsAndAllServeTheSameState() throws Exception {
        ZooKeeperServer leader = ensemble.leader();
        assertTrue(leader.isLeader());
        assertEquals(2, ensemble.followers().size());
        ZooKeeperSession.create(leader.connectString(), "/shared");
        for (ZooKeeperServer member : ensemble.members()) {
            assertTrue(ZooKeeperSession.exists(member.connectString(), "/shared"));
        }
    }

    @Test
    void api_anotherMemberLeadsAfterTheLeaderIsKilled() throws Exception {
        ZooKeeperServer old = ensemble.leader();
        old.kill();
        assertNotSame(old, ensemble.leader());
        ZooKeeperSession.create(ensemble.connectString(), "/afterwards");
        old.restart(true);
        ensemble.awaitQuorum();
        assertFalse(old.isLeader());
        assertTrue(old.isServing());
    }

    @Test
    void api_aMemberWithoutItsDataCopiesThemFromTheOthers() throws Exception {
        ZooKeeperSession.create(ensemble.connectString(), "/copied");
        ZooKeeperServer follower = ensemble.followers().get(0);
        follower.restart(false);
        ensemble.awaitQuorum();
        assertTrue(ZooKeeperSession.exists(follower.connectString(), "/copied"));
    }

    /** In containers, Docker would give the one that starts first the lower of two free addresses. */
    @Test
    void api_killedMembersComeBackInAnyOrder() {
        ZooKeeperServer first = ensemble.members().get(0);
        ZooKeeperServer third = ensemble.members().get(2);
        for (List<ZooKeeperServer> order : List.of(List.of(first, third), List.of(third, first))) {
            order.forEach(Server::kill);
            order.forEach(member -> member.restart(true));
            ensemble.awaitQuorum();
        }
    }

    @Test
    void api_withoutAQuorumNoMemberServes() {
        ZooKeeperServer leader = ensemble.leader();
        List<ZooKeeperServer> followers = ensemble.followers();
        followers.forEach(Server::pause);
        try {
            assertTrue(Waiting.until(LIMIT, () -> !leader.isServing()));
            assertTrue(leader.isRunning());
        } finally {
            followers.forEach(Server::resume);
        }
        ensemble.awaitQuorum();
    }

    @Test
    void api_anEnsembleRestartsWithOrWithoutItsData() throws Exception {
        ZooKeeperSession.create(ensemble.connectString(), "/kept");
        ensemble.members().forEach(Server::kill);
        ensemble.restart(true);
        assertTrue(ZooKeeperSession.exists(ensemble.connectString(), "/kept"));
        ensemble.restart(false);
        assertFalse(ZooKeeperSession.exists(ensemble.connectString(), "/kept"));
    }

    @Test
    void api_faultsOfAnEnsembleConcernAllMembers() {
        ensemble.pause();
        assertTrue(ensemble.members().stream().noneMatch(ZooKeeperServer::isServing));

        ensemble.resume();
        ensemble.awaitQuorum();

        ensemble.kill();
        assertTrue(ensemble.members().stream().noneMatch(Server::isRunning));
        ensemble.restart(true);
        assertTrue(ensemble.isRunning());
    }

    @Test
    void api_aProxyBeforeAnEnsembleHasAnAddressForEachMember() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(ensemble)) {
            List<String> addresses = List.of(proxy.address().split(",", -1));
            assertEquals(3, addresses.size());
            for (String address : addresses) {
                ZooKeeperSession.create(address, "/through-" + address);
                assertTrue(ZooKeeperSession.exists(ensemble.connectString(), "/through-" + address));
            }

            proxy.refuse();

            for (String address : addresses) {
                int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
                assertThrows(ConnectException.class, () -> new Socket(proxy.host(), port).close());
            }
        }
    }
}
