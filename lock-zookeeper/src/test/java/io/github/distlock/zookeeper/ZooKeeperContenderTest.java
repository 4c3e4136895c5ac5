package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.PATIENCE;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.junit.jupiter.api.Test;

/** Contenders for one lock of a real server, without an engine. They send only what a test asks them to send. */
class ZooKeeperContenderTest extends ContendersOfOneLock {
    private static final Duration SESSION = ZooKeeperFactory.SESSION;
    private static final int MANY = 300;

    /**
     * Waits until the client has replaced a connection that was cut. The first request after a cut can still fail with
     * the old connection: ZooKeeper's client first fails the requests that are sent, and then those in its queue.
     */
    private void awaitNewConnection() {
        await("the client has a new connection", () -> {
            try {
                var unused = other.inspect("another", deadline());
                return true;
            } catch (RuntimeException e) {
                return false;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void s3_theTokenIsTheNumberOfTheTransactionThatCreatedTheNode() throws Exception {
        Grant held = waiting(one).acquire();

        String node = directory + "/" + nodes().get(0);
        assertThat(held.fencingBase())
                .isEqualTo(SharedZooKeeper.operator().exists(node, false).getCzxid());
    }

    @Test
    void s6_aGrantLastsNoLongerThanTheSession() throws InterruptedException {
        long begin = System.nanoTime();

        Validity validity = waiting(one).acquire().validity();

        long end = System.nanoTime();
        long from = validity.from().nanoTime();
        assertThat(from - end).isNegative();
        assertThat(from + validity.length().toNanos() - end).isBetween(SESSION.toNanos() / 4, SESSION.toNanos());
        assertThat(from - begin).isPositive();
        assertThat(validity.renewAfter()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(1));
    }

    @Test
    void s2_aGrantAfterALongWaitIsProvedAgain() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Waiting.letPass(SESSION.multipliedBy(2).dividedBy(3));
        release(held);
        List<String> entry = nodes();
        long before = System.nanoTime();

        Validity validity = waiter.acquire().validity();

        assertThat(validity.from().nanoTime() - before).isPositive();
        assertThat(nodes()).isEqualTo(entry);
    }

    /** Once the server has the creation, it answers nothing. */
    @Test
    void api_theFirstAttemptSendsItsLookTogetherWithTheCreation() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        release(waiting(other).acquire());
        CountDownLatch looked = new CountDownLatch(1);
        link.delayNextRequest(
                request -> {
                    if (FaultProxy.containing("-lock-").test(request)) {
                        link.silenceReplies();
                    }
                    // One packet may have both.
                    if (FaultProxy.containing(directory + "\0").test(request)) {
                        looked.countDown();
                    }
                    return false;
                },
                Duration.ZERO);

        new Thread(new FutureTask<>(() -> waiting(other).attempt())).start();

        await("it looks at the queue", () -> looked.getCount() == 0);
    }

    @Test
    void v3_aWaiterIsWokenWhenItsPredecessorGoes() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender second = waitingBusy(other);
        TestContender third = waitingBusy(one);

        release(held);

        await("the second is woken", () -> second.wakeUps.get() == 1);
        assertThat(third.wakeUps).hasValue(0);
        third.findBusy();
        Grant next = second.acquire();
        assertThat(next.fencingBase()).isGreaterThan(held.fencingBase());
        release(next);
        await("the third is woken", () -> third.wakeUps.get() == 1);
        third.acquire();
    }

    @Test
    void v3_aWaiterWatchesAnotherNodeWhenItsPredecessorGivesUp() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender second = waitingBusy(one);
        TestContender third = waitingBusy(one);

        second.withdraw();

        await("the third is woken", () -> third.wakeUps.get() == 1);
        third.findBusy();
        release(held);
        await("the third is woken again", () -> third.wakeUps.get() == 2);
        third.acquire();
    }

    @Test
    void v2_aWaiterIsWokenWhenItsConnectionIsBack() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        link.cut();

        await("it is woken", () -> waiter.wakeUps.get() > 0);
        awaitNewConnection();
        waiter.findBusy();
        deleteNode(0);
        await("its watch is still there", () -> waiter.wakeUps.get() > 1);
        waiter.acquire();
    }

    @Test
    void v6_aWaiterThatGivesUpLeavesNoNodeAndIsNotWoken() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        waiter.withdraw();

        assertThat(nodes()).hasSize(1);
        TestContender next = waitingBusy(other);
        deleteNode(0);
        await("the next is woken", () -> next.wakeUps.get() == 1);
        next.acquire();
        assertThat(waiter.wakeUps).hasValue(0);
    }

    @Test
    void v6_aWaiterWithWatchesSendsNothing() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        link.silence();

        waiter.findBusy();
    }

    @Test
    void v6_aWaiterWatchesOneNode() throws InterruptedException {
        waiting(one).acquire();
        TestContender second = waitingBusy(other);
        TestContender third = waitingBusy(other);
        deleteNode(1);
        await("the third is woken", () -> third.wakeUps.get() == 1);

        third.findBusy();

        await(
                "both watch the holder, and one its own node",
                () -> SharedZooKeeper.watched(directory).size() == 2);
        second.findBusy();
        assertThat(nodes()).hasSize(3);
    }

    @Test
    void v6_aSingleTryLeavesNothing() throws InterruptedException {
        waiting(one).acquire();
        TestContender single = new TestContender(other, request().withoutWaiting());

        single.findBusy();

        assertThat(nodes()).hasSize(1);
        assertThat(SharedZooKeeper.watched(directory)).isEmpty();
    }

    @Test
    void s7_aWithdrawalEndsAHoldWhoseGrantWasNotHeard() throws InterruptedException {
        waiting(other).withdraw();
        TestContender contender = waiting(other);
        contender.acquire();

        contender.withdraw();
        contender.withdraw();

        assertThat(nodes()).isEmpty();
    }

    /** The attempt fails, unless the contender looks at the queue, and finds its node, over the next connection. */
    private static void attemptDuring(Fault lost, TestContender contender) throws InterruptedException {
        try {
            contender.attempt();
        } catch (RuntimeException e) {
            // The connection was cut.
        }
        assertThat(lost.hasStruck()).isTrue();
    }

    @Test
    void s7_aContenderFindsItsNodeWhoseCreationWasNotAnswered() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        release(waiting(other).acquire());
        Fault lost = link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
        TestContender contender = waiting(other);
        attemptDuring(lost, contender);
        awaitNewConnection();
        String node = nodes().get(0);

        contender.acquire();

        assertThat(nodes()).containsExactly(node);
    }

    @Test
    void s7_aContenderWhoseCreationDidNotArriveCreatesItsNodeAgain() throws InterruptedException {
        release(waiting(other).acquire());
        Fault lost = link.dropNextRequest(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
        TestContender contender = waiting(other);
        try {
            contender.attempt();
        } catch (RuntimeException e) {
            // The connection may not be back yet when the contender searches for its node.
        }
        awaitNewConnection();

        contender.acquire();

        assertThat(lost.hasStruck()).isTrue();
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void s7_aWithdrawalRemovesTheNodeWhoseCreationWasNotAnswered() throws InterruptedException {
        release(waiting(other).acquire());
        Fault lost = link.dropNextReply(FaultProxy.containing("-lock-"), FaultProxy.Then.CUT);
        TestContender contender = waiting(other);
        attemptDuring(lost, contender);
        awaitNewConnection();

        contender.withdraw();

        assertThat(nodes()).isEmpty();
    }

    @Test
    void s1_aWaiterWhoseNodeWasDeletedQueuesAgain() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = waitingBusy(other);
        TestContender second = waitingBusy(other);
        deleteNode(1);
        await("both are woken", () -> first.wakeUps.get() == 1 && second.wakeUps.get() == 1);

        first.findBusy();

        assertThat(nodes()).hasSize(3);
        second.findBusy();
        deleteNode(0);
        await("the second is woken again", () -> second.wakeUps.get() == 2);
        second.acquire();
        first.findBusy();
    }

    @Test
    void v2_aHeartbeatWakesAWaiterWhoseNodeIsGone() throws InterruptedException {
        waiting(one).acquire();
        TestContender second = waitingBusy(other);
        TestContender third = waitingBusy(other);
        deleteNode(1);
        await("the third is woken by its watch", () -> third.wakeUps.get() == 1);

        other.heartbeat(List.of(second.contender, third.contender), deadline());

        await("the second is woken", () -> second.wakeUps.get() == 1);
        assertThat(third.wakeUps).hasValue(1);
    }

    @Test
    void s5_aRenewalFindsThatItsNodeIsGone() throws InterruptedException {
        TestContender contender = waiting(other);
        Grant held = contender.acquire();
        assertThat(contender.renew(held)).isInstanceOf(Validity.class);
        assertThat(contender.timesGone).hasValue(0);

        deleteNode(0);

        await("the watch reports it", () -> contender.timesGone.get() == 1);
        assertThat(contender.renew(held)).isEqualTo("gone");
        assertThat(held.release(deadline())).isEqualTo(Grant.Release.GONE);
        assertThat(held.release(deadline())).as("its reply may have been lost").isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void s5_aHoldThatIsReleasedIsNotReportedAsGone() throws InterruptedException {
        TestContender contender = waiting(other);
        Grant held = contender.acquire();
        assertThat(contender.renew(held)).isInstanceOf(Validity.class);

        release(held);

        assertThat(contender.renew(held)).isEqualTo("gone");
        assertThat(contender.timesGone).hasValue(0);
    }

    @Test
    void s8_aHoldIsInDoubtWhileItsConnectionIsBroken() throws InterruptedException {
        TestContender contender = waiting(other);
        Grant held = contender.acquire();
        assertThat(contender.renew(held)).isInstanceOf(Validity.class);
        assertThat(contender.renew(held)).as("its node is watched by now").isInstanceOf(Validity.class);

        link.cut();

        await("it is in doubt", () -> contender.timesSuspect.get() > 0);
        awaitNewConnection();
        assertThat(contender.renew(held)).isInstanceOf(Validity.class);
        assertThat(contender.timesGone).hasValue(0);
    }

    @Test
    void v5_manyHoldsAreReleasedInAboutOneRoundTrip() throws InterruptedException {
        List<Grant> held = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            held.add(contender(other, "lock" + i).acquire());
        }
        SharedZooKeeper.deleteFirst(base + "/lock0");
        link.delayReplies(Duration.ofMillis(200));
        long begin = System.nanoTime();

        Map<Grant, Grant.Release> found = other.releaseAll(held, deadline());

        // One after the other, they would take 60 s.
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(PATIENCE);
        assertThat(found).hasSize(MANY).containsEntry(held.get(0), Grant.Release.GONE);
        assertThat(found.values()).filteredOn(Grant.Release.RELEASED::equals).hasSize(MANY - 1);
        assertThat(other.releaseAll(held, deadline()).values())
                .as("its replies may have been lost")
                .containsOnly(Grant.Release.RELEASED);
    }

    /** Makes a contender that has asked for its node. The request arrives after half of the session timeout. */
    private TestContender unanswered() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        release(waiting(other).acquire());
        TestContender contender = waiting(other);
        link.delayNextRequest(FaultProxy.containing("-lock-"), SESSION.dividedBy(2));
        Deadline soon = Deadline.after(Duration.ofMillis(200), LockClock.system());
        assertThatThrownBy(() -> contender.contender.attempt(soon)).isInstanceOf(RuntimeException.class);
        return contender;
    }

    @Test
    void s7_aWithdrawalThatIsNotAnsweredIsAnErrorAndCanBeRepeated() throws Exception {
        TestContender contender = unanswered();
        Deadline now = Deadline.after(Duration.ZERO, LockClock.system());

        assertThatThrownBy(() -> contender.contender.withdraw(now)).isInstanceOf(RuntimeException.class);

        contender.withdraw();
        assertThat(nodes()).isEmpty();
    }

    @Test
    void s7_aWithdrawalSucceedsIfTheServerRefusesTheCreation() throws Exception {
        TestContender contender = unanswered();
        SharedZooKeeper.delete(directory);

        contender.withdraw();

        assertThat(nodes()).isEmpty();
    }

    @Test
    void v6_nothingStaysForWaitersThatGaveUpDuringAnOutage() throws InterruptedException {
        waiting(one).acquire();
        List<WeakReference<TestContender>> waiters = new ArrayList<>();
        List<TestContender> present = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            TestContender waiter = waiting(other);
            waiter.findBusy();
            present.add(waiter);
            waiters.add(new WeakReference<>(waiter));
        }
        link.refuse();
        link.cut();

        for (TestContender waiter : present) {
            assertThatThrownBy(() -> waiter.contender.withdraw(Deadline.after(Duration.ZERO, LockClock.system())))
                    .isInstanceOf(RuntimeException.class);
            waiter.contender.forget();
        }
        present.clear();
        link.heal();

        await("the backend has forgotten all of them", () -> {
            System.gc();
            return waiters.stream().allMatch(waiter -> waiter.refersTo(null));
        });
    }

    @Test
    void v6_nothingStaysForAHoldThatTheEngineForgets() throws InterruptedException {
        TestContender contender = waiting(other);
        Grant held = contender.acquire();
        assertThat(contender.renew(held)).isInstanceOf(Validity.class);
        WeakReference<TestContender> reference = new WeakReference<>(contender);

        contender.contender.forget();
        assertThat(contender.renew(held)).as("was under way").isInstanceOf(Validity.class);
        contender = null;
        held = null;

        await("the backend has forgotten it", () -> {
            System.gc();
            return reference.refersTo(null);
        });
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void v1_theInspectorSaysHowLongASilentHolderCanBlockTheLock() throws InterruptedException {
        Grant held = waiting(one).acquire();

        LockStatus.Holder holder = other.inspect("lock", deadline()).holders().get(0);

        assertThat(holder.owner()).isEqualTo(request().owner());
        assertThat(holder.fencingToken() >> 8).isEqualTo(held.fencingBase());
        assertThat(holder.remainingLease()).isEqualTo(SESSION.plus(SharedZooKeeper.TICK));
        assertThat(holder.remainingLease()).isEqualTo(other.expiry(request()));
    }

    @Test
    void s1_aNodeOfAnotherKindIsRespectedAndReportedOnce() throws Exception {
        Grant held = waiting(one).acquire();
        SharedZooKeeper.operator()
                .create(
                        directory + "/x__rlock__",
                        new byte[0],
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.EPHEMERAL_SEQUENTIAL);
        release(held);
        List<String> lines;
        try (CapturedLog log = new CapturedLog()) {
            TestContender waiter = waiting(one);
            waiter.findBusy();
            waiter.findBusy();
            lines = log.lines();
        }
        assertThat(lines)
                .filteredOn(line -> line.contains(directory))
                .singleElement()
                .asString()
                .contains("lock \"lock\"", "x__rlock__", "another program");
    }

    @Test
    void v8_holdsOfOneBackendAreRenewedTogether() throws InterruptedException {
        Grant held = waiting(one).acquire();
        Grant another = contender(one, "another").acquire();
        Grant elsewhere = contender(other, "third").acquire();

        assertThat(held.server()).isEqualTo(another.server()).isNotEqualTo(elsewhere.server());
    }

    @Test
    void v4_theEventThreadMustNotWait() throws Exception {
        CompletableFuture<Throwable> refusal = new CompletableFuture<>();

        SharedZooKeeper.operator()
                .sync("/", (code, path, context) -> refusal.complete(catchThrowable(one::requireMayWait)), null);

        assertThat(refusal.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("event thread");
    }
}
