package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;

/** The deletion of a predecessor is the grant, under the conditions that {@link PredecessorWatch} lists. */
class DeletionAsGrantTest extends ContendersOfOneLock {
    private final ZooKeeper operator = SharedZooKeeper.operator();

    private long czxid(String node) throws Exception {
        return operator.exists(directory + "/" + node, false).getCzxid();
    }

    private static void awaitWakeUp(TestContender waiter) {
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void v3_theDeletionOfThePredecessorGrantsWithoutAnotherRequest() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        release(held);
        awaitWakeUp(waiter);
        link.silence();
        Grant next = waiter.acquire();

        assertThat(next.fencingBase()).isEqualTo(czxid(nodes().get(0))).isGreaterThan(held.fencingBase());
        assertThat(waiter.acquire().fencingBase())
                .as("the first answer may have been lost")
                .isEqualTo(next.fencingBase());
    }

    /** The proof by the creation of the node counts for more than twice as long. */
    @Test
    void v3_aDeletionGrantsWithoutAnotherRequestSomeTimeAfterTheLastProof() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(4));

        release(held);
        awaitWakeUp(waiter);
        link.silence();

        waiter.acquire();
    }

    @Test
    void s1_aNodeThatTakesThePlaceOfThePredecessorKeepsTheLock() throws Exception {
        Grant held = TestContender.contending(one, LockMode.WRITE).acquire();
        TestContender waiter = TestContender.busyOf(other, LockMode.WRITE);

        var unused = held.downgrade(TestContender.deadline()).orElseThrow();
        awaitWakeUp(waiter);

        waiter.findBusy();
    }

    @Test
    void s1_aNodeOfAnotherProgramGrantsNothingByItsDeletion() throws Exception {
        Grant held = waiting(one).acquire();
        String foreign = operator.create(
                directory + "/x__FORE__", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
        release(held);
        TestContender waiter = waitingBusy(other);

        operator.multi(List.of(
                Op.create(foreign.replace("FORE", "IGN_"), new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
                Op.delete(foreign, -1)));
        awaitWakeUp(waiter);

        waiter.findBusy();
        operator.delete(foreign.replace("FORE", "IGN_"), -1);
    }

    @Test
    void s1_aWaiterBehindAWaiterIsNotGrantedByItsDeletion() throws Exception {
        waiting(one).acquire();
        TestContender second = waitingBusy(one);
        TestContender third = waitingBusy(other);

        second.withdraw();
        awaitWakeUp(third);

        third.findBusy();
    }

    @Test
    void v3_theDeletionOfAHoldOfTheSameClientGrantsWithoutAnotherRequest() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender second = waitingBusy(other);
        TestContender third = waitingBusy(other);

        release(held);
        awaitWakeUp(second);
        release(second.acquire());
        second.contender.forget();
        awaitWakeUp(third);
        link.silence();
        Grant next = third.acquire();

        assertThat(next.fencingBase()).isEqualTo(czxid(nodes().get(0)));
    }

    @Test
    void s1_aWaiterBehindAWaiterOfTheSameClientIsNotGrantedByItsDeletion() throws Exception {
        waiting(one).acquire();
        TestContender second = waitingBusy(other);
        TestContender third = waitingBusy(other);

        second.withdraw();
        awaitWakeUp(third);

        third.findBusy();
    }

    @Test
    void s1_aWaiterWhoseNodeWasDeletedIsNotGrantedByADeletion() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        deleteNode(1);
        release(held);
        awaitWakeUp(waiter);
        Grant next = waiter.acquire();

        assertThat(nodes()).hasSize(1);
        assertThat(next.fencingBase()).isEqualTo(czxid(nodes().get(0)));
    }

    @Test
    void s1_anotherEventOfThePredecessorIsNoGrant() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        operator.setData(directory + "/" + nodes().get(0), new byte[0], -1);
        awaitWakeUp(waiter);

        waiter.findBusy();
    }

    @Test
    void s1_aWaiterThatHadNoConnectionIsNotGrantedByADeletion() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        link.refuse();
        link.cut();
        deleteNode(0);
        link.heal();
        await("the watch has reported the deletion", () -> waiter.wakeUps.get() > 1);
        link.silence();

        Deadline soon = Deadline.after(Duration.ofMillis(500), LockClock.system());
        assertThatThrownBy(() -> waiter.contender.attempt(soon)).isInstanceOf(RuntimeException.class);
    }

    @Test
    void s1_aDeletionGrantsNothingOnceTheConnectionIsLost() throws Exception {
        TestContender holder = new TestContender(
                other,
                LockRequest.exclusive(
                        "other", ZooKeeperFactory.SESSION, request().owner()));
        holder.acquire();
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        release(held);
        awaitWakeUp(waiter);

        link.refuse();
        link.cut();
        await("the client has noticed it", () -> holder.timesSuspect.get() > 0);
        deleteNode(0);
        link.heal();
        await("all watches have noticed it", this::isAnsweredBehindEvents);
        Grant next = waiter.acquire();

        assertThat(nodes()).hasSize(1);
        assertThat(next.fencingBase()).isEqualTo(czxid(nodes().get(0)));
    }

    /** The inspector reads the holder's node. This answer comes on the event thread, behind earlier events. */
    private boolean isAnsweredBehindEvents() {
        try {
            return other.inspect("other", TestContender.deadline()).holders().size() == 1;
        } catch (RuntimeException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void s2_aDeletionGrantsNothingOnceTheValidityIsStale() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Waiting.letPass(ZooKeeperFactory.SESSION.multipliedBy(2).dividedBy(3));
        release(held);
        awaitWakeUp(waiter);
        long before = System.nanoTime();

        Grant next = waiter.acquire();

        assertThat(next.validity().from().nanoTime() - before).isPositive();
    }

    @Test
    void s1_aDeletionGrantsNothingInAnotherSession() throws Exception {
        try (CuratorFramework curator =
                        CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
                LockBackend supplied =
                        ZooKeeperBackend.builder(curator).basePath(base).build()) {
            curator.start();
            supplied.start(new RecordingContext("test"));
            Grant held = waiting(one).acquire();
            TestContender waiter = waitingBusy(supplied);
            long created = czxid(nodes().get(1));

            release(held);
            awaitWakeUp(waiter);
            curator.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
            new TestContender(
                            supplied,
                            LockRequest.exclusive(
                                    "another",
                                    ZooKeeperFactory.SESSION,
                                    request().owner()))
                    .acquire();
            Grant next = waiter.acquire();

            assertThat(next.fencingBase()).isGreaterThan(created);
        }
    }
}
