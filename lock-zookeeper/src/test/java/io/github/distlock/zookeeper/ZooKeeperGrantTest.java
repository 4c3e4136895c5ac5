package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Validity;
import io.github.distlock.zookeeper.Session.Node;
import java.time.Duration;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;

/** What a hold knows of its session and its node, and what stays of it when the engine forgets it. */
class ZooKeeperGrantTest extends ContendersOfOneLock {

    /** Renews a hold twice. When the second renewal is answered, the server has set the watch of the first. */
    private static void renewTwice(TestContender contender, Grant held) throws InterruptedException {
        for (int i = 0; i < 2; i++) {
            assertThat(contender.renew(held)).isInstanceOf(Validity.class);
        }
    }

    @Test
    void s6_aGrantEndsOneSessionTimeoutAfterItsAttemptBegan() throws Exception {
        Session session = session(waiting(one).acquire());
        Validity proved = session.validity();
        long age = session.timeout().minusMillis(1).toNanos();

        Validity first = ZooKeeperGrant.firstValidity(session, proved.from().plusNanos(-age));

        assertThat(first)
                .isEqualTo(Validity.of(proved.from(), Duration.ofMillis(1)).withRenewAfter(Duration.ofNanos(500_000)));
    }

    @Test
    void s6_aHoldKnowsWhatItsSessionProves() throws Exception {
        Grant held = waiting(one).acquire();
        Validity before = session(held).validity();

        Validity known = held.latestValidity();

        assertThat(known).isIn(before, session(held).validity());
        assertThat(held.hasEnded()).isFalse();
    }

    @Test
    void s6_aHoldEndsWithItsSession() throws Exception {
        TestContender contender = waiting(other);
        Grant held = contender.acquire();

        other.disconnect();

        await("it is reported", () -> contender.timesGone.get() == 1);
        assertThat(held.hasEnded()).isTrue();
    }

    @Test
    void s6_aChangeOfTheNodesDataDoesNotEndItsWatch() throws Exception {
        TestContender contender = waiting(one);
        renewTwice(contender, contender.acquire());

        var unused = SharedZooKeeper.operator().setData(directory + "/" + nodes().get(0), new byte[0], -1);
        deleteNode(0);

        await("the deletion is reported", () -> contender.timesGone.get() == 1);
    }

    @Test
    void v6_aWriterThatHasBecomeAReaderIsForgotten() throws Exception {
        Grant written = contending(one, LockMode.WRITE).acquire();
        SessionLife life = session(written).life();
        assertThat(life.dependents()).isOne();

        assertThat(written.downgrade(deadline())).isPresent();

        assertThat(life.dependents()).isOne();
    }

    @Test
    void v6_aReaderOfAForgottenWriterIsForgotten() throws Exception {
        TestContender contender = contending(one, LockMode.WRITE);
        Grant written = contender.acquire();
        SessionLife life = session(written).life();
        contender.contender.forget();
        assertThat(life.dependents()).isZero();

        assertThat(written.downgrade(deadline())).isPresent();

        assertThat(life.dependents()).isZero();
    }

    private static Node noted(String id, long mtime) {
        Stat stat = new Stat();
        stat.setMtime(mtime);
        return new Node(new OwnerData(request().owner(), Duration.ZERO, 1, Duration.ZERO, Duration.ZERO, id), stat);
    }

    @Test
    void v12_aRequestIsAtLeastAsOldAsItsRoundedTimesProve() throws Exception {
        ZooKeeperGrant held = (ZooKeeperGrant) waiting(one).acquire();
        long proved = Duration.ofMillis(499).toNanos();
        long before = System.nanoTime();

        RequestedRelease request = held.requested(noted("one", 1_000), 1_500);

        long after = System.nanoTime();
        assertThat(request.cameBy() + proved - before).isNotNegative();
        assertThat(request.cameBy() + proved - after).isNotPositive();
        assertThat(request.requester()).isEqualTo(request().owner());
    }

    @Test
    void v12_aHoldKnowsTheLastRequestByItsId() throws Exception {
        ZooKeeperGrant held = (ZooKeeperGrant) waiting(one).acquire();

        RequestedRelease request = held.requested(noted("one", 1_000), 1_500);

        assertThat(held.known(noted("one", 2_000))).containsSame(request);
        assertThat(held.known(noted("another", 1_000))).isEmpty();
    }
}
