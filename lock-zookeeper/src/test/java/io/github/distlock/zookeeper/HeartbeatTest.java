package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.renewAll;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.ACL;
import org.junit.jupiter.api.Test;

/** Renewals of several holds of one client. */
class HeartbeatTest extends ContendersOfOneLock {
    private static final Duration SESSION = ZooKeeperFactory.SESSION;

    private final TestContender first = contender("first");
    private final TestContender second = contender("second");
    private final TestContender third = contender("third");

    private TestContender contender(String name) {
        return new TestContender(
                other, LockRequest.exclusive(name, SESSION, request().owner()));
    }

    /** The first renewal asks for the watches. When the second one is answered, the server has set them. */
    private void renewTwice(Grant a, Grant b) throws InterruptedException {
        for (int i = 0; i < 2; i++) {
            assertThat(renewAll(other, a, b)).hasOnlyElementsOfType(Validity.class);
        }
    }

    private String node(String name) {
        return SharedZooKeeper.children(base + "/" + name).get(0);
    }

    @Test
    void v8_aRenewalOfSeveralHoldsChecksOneNode() throws InterruptedException {
        Grant a = first.acquire();
        Grant b = second.acquire();
        renewTwice(a, b);
        Fault mentions = link.dropNextRequest(FaultProxy.containing(node("second")), FaultProxy.Then.SILENCE);
        long before = System.nanoTime();

        var answers = renewAll(other, a, b);

        assertThat(answers)
                .allSatisfy(answer -> assertThat(((Validity) answer).from().nanoTime() - before)
                        .isPositive());
        assertThat(mentions.hasStruck()).isFalse();
    }

    @Test
    void s5_aRenewalFindsAllHoldsWhoseNodesWereDeletedBeforeItsFirst() throws InterruptedException {
        Grant a = first.acquire();
        Grant b = second.acquire();
        Grant c = third.acquire();
        SharedZooKeeper.deleteFirst(base + "/first");
        SharedZooKeeper.deleteFirst(base + "/second");
        long before = System.nanoTime();

        var answers = renewAll(other, a, b, c);

        assertThat(answers.subList(0, 2)).containsExactly("gone", "gone");
        assertThat(answers.get(2))
                .isInstanceOfSatisfying(
                        Validity.class,
                        proved -> assertThat(proved.from().nanoTime() - before).isPositive());
    }

    @Test
    void s6_aHeartbeatChecksTheFirstNodeThatItMayRead() throws Exception {
        Session session = session(first.acquire());
        String secret = SharedZooKeeper.operator()
                .create(
                        base + "/secret",
                        new byte[0],
                        Collections.singletonList(new ACL(ZooDefs.Perms.WRITE, ZooDefs.Ids.ANYONE_ID_UNSAFE)),
                        CreateMode.PERSISTENT);
        List<Session.Unchecked> unchecked = new ArrayList<>();

        Heartbeat.send(
                session,
                List.of(base + "/missing", secret, base + "/first/" + node("first")),
                TestContender.deadline(),
                unchecked::add);

        assertThat(unchecked).extracting(Session.Unchecked::path).containsExactly(base + "/missing", secret);
        assertThat(unchecked).extracting(Session.Unchecked::isMissing).containsExactly(true, false);
    }

    @Test
    void s6_aDeletionThatTheWatchReportsEndsTheRenewals() throws InterruptedException {
        Grant a = first.acquire();
        Grant b = second.acquire();
        assertThat(renewAll(other, a, b)).hasOnlyElementsOfType(Validity.class);
        SharedZooKeeper.deleteFirst(base + "/second");
        await("the watch reports it", () -> second.timesGone.get() == 1);

        var answers = renewAll(other, a, b);

        assertThat(answers.get(0)).isInstanceOf(Validity.class);
        assertThat(answers.get(1)).isEqualTo("gone");
    }

    @Test
    void s6_aDeletionThatWasNotReportedIsFoundWithinASessionTimeout() throws InterruptedException {
        Grant a = first.acquire();
        Grant b = second.acquire();
        renewTwice(a, b);
        Fault lost = link.dropNextPush(FaultProxy.containing(node("second")));
        SharedZooKeeper.deleteFirst(base + "/second");
        await("the event is lost", lost::hasStruck);

        Waiting.letPass(SESSION);
        renewAll(other, a, b);

        await("the hold is lost", () -> second.timesGone.get() == 1);
        assertThat(renewAll(other, a, b).get(1)).isEqualTo("gone");
    }

    @Test
    void s6_aHoldWhoseNodeMayNotBeReadIsInDoubt() throws Exception {
        Grant a = first.acquire();
        Grant b = second.acquire();
        List<ACL> noReads = Collections.singletonList(new ACL(ZooDefs.Perms.WRITE, ZooDefs.Ids.ANYONE_ID_UNSAFE));
        var unused = SharedZooKeeper.operator().setACL(base + "/first/" + node("first"), noReads, -1);

        var answers = renewAll(other, a, b);

        assertThat(answers.get(0)).isInstanceOf(KeeperException.NoAuthException.class);
        assertThat(answers.get(1)).isInstanceOf(Validity.class);
    }
}
