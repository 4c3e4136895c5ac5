package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Waiters rely on their watches, and check their nodes now and then. */
class WaiterCheckTest extends ContendersOfOneLock {
    private static final Duration SESSION = ZooKeeperFactory.SESSION;
    private static final int MANY = 100;

    private long checkedAt;

    /** Returns how many packets the server has received from the session of the last node. */
    private long packets() throws Exception {
        List<String> nodes = nodes();
        String last = directory + "/" + nodes.get(nodes.size() - 1);
        long session = SharedZooKeeper.operator().exists(last, false).getEphemeralOwner();
        Matcher received = Pattern.compile("recved=(\\d+),[^)]*sid=0x" + Long.toHexString(session) + ",")
                .matcher(SharedZooKeeper.fourLetterWord(SharedZooKeeper.server(), "cons"));
        assertThat(received.find()).isTrue();
        return Long.parseLong(received.group(1));
    }

    private static List<Contender> contenders(List<TestContender> waiters) {
        return waiters.stream().map(waiter -> waiter.contender).toList();
    }

    @Test
    void v6_aWaiterWithAWatchAsksNothingForHalfOfTheSessionTimeout() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        link.silence();

        Attempt.Busy busy = (Attempt.Busy) waiter.attempt();

        assertThat(busy.retryAfter()).isBetween(Duration.ofMillis(1), SESSION.dividedBy(2));
    }

    @Test
    void v2_anAttemptFindsADeletionThatWasNotReported() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Fault lost = link.dropNextPush(FaultProxy.containing(nodes().get(0)));
        release(held);
        await("the event is lost", lost::hasStruck);

        Waiting.letPass(SESSION.dividedBy(2));

        waiter.acquire();
    }

    @Test
    void v6_anAttemptThatChecksItsNodesAsksNothingForAsLongAgain() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Waiting.letPass(SESSION.dividedBy(2));
        waiter.findBusy();
        link.silence();

        waiter.findBusy();
    }

    @Test
    void v2_aHeartbeatFindsADeletionThatWasNotReported() throws Exception {
        waiting(one).acquire();
        TestContender second = waitingBusy(one);
        TestContender third = waitingBusy(other);
        Fault lost = link.dropNextPush(FaultProxy.containing(nodes().get(1)));
        deleteNode(1);
        await("the event is lost", lost::hasStruck);
        await("the second is woken", () -> second.wakeUps.get() == 1);

        Waiting.letPass(SESSION.dividedBy(3));
        other.heartbeat(List.of(third.contender), deadline());

        assertThat(third.wakeUps).hasValue(1);
    }

    @Test
    void v2_aHeartbeatFindsThatTheNodeOfAWaiterIsGone() throws Exception {
        waiting(one).acquire();
        waitingBusy(one);
        TestContender third = waitingBusy(other);
        deleteNode(2);

        Waiting.letPass(SESSION.dividedBy(3));
        other.heartbeat(List.of(third.contender), deadline());

        assertThat(third.wakeUps).hasValue(1);
    }

    @Test
    void v6_heartbeatsOfManyWaitersAreFewRequests() throws Exception {
        waiting(one).acquire();
        List<TestContender> waiters = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            waiters.add(waitingBusy(other));
        }
        Waiting.letPass(SESSION.dividedBy(3));
        long before = packets();

        other.heartbeat(contenders(waiters), deadline());
        other.heartbeat(contenders(waiters), deadline());

        assertThat(packets() - before).as("a write, a listing, and pings").isBetween(1L, 10L);
        assertThat(waiters).allSatisfy(waiter -> assertThat(waiter.wakeUps).hasValue(0));
    }

    @Test
    void v6_aHeartbeatKeepsTheValidityFreshWithOneWrite() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        Waiting.letPass(SESSION.multipliedBy(2).dividedBy(3));

        other.heartbeat(List.of(waiter.contender), deadline());
        release(held);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
        link.silence();

        waiter.acquire();
    }

    @Test
    void v6_aHeartbeatOfFreshWaitersAsksNothing() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        var unused = sessionWithAHold(other);
        link.silence();

        other.heartbeat(List.of(waiter.contender), deadline());

        assertThat(waiter.wakeUps).hasValue(0);
    }

    /**
     * Makes a waiter, and checks it when another one has come behind it. Returns how many nodes the last listing had.
     */
    private int seenByCheck(LockMode mode) throws Exception {
        TestContender waiter = busyOf(other, mode);
        contending(one, mode).findBusy();
        Session present = sessionWithAHold(other);
        WaiterCheck.run(present, List.of(watch(waiter)), System.nanoTime(), deadline());
        assertThat(waiter.wakeUps).hasValue(0);
        return present.seenQueues().count(directory).orElseThrow();
    }

    @Test
    void v6_aCheckListsAShortQueue() throws Exception {
        waiting(one).acquire();

        assertThat(seenByCheck(LockMode.EXCLUSIVE)).isEqualTo(3);
    }

    @Test
    void v6_aCheckReadsTheNodesOfOneWaiterInALongQueue() throws Exception {
        waiting(one).acquire();
        for (int i = 0; i < 5; i++) {
            waiting(one).findBusy();
        }

        assertThat(seenByCheck(LockMode.EXCLUSIVE))
                .as("without the last one, because it has not listed the nodes")
                .isEqualTo(7);
    }

    @Test
    void v6_aCheckListsALongQueueForAWaiterForPermits() throws Exception {
        LockMode permit = LockMode.permits(1, 1);
        contending(one, permit).acquire();
        for (int i = 0; i < 5; i++) {
            contending(one, permit).findBusy();
        }

        assertThat(seenByCheck(permit)).isEqualTo(8);
    }

    /** Sends a heartbeat just after the last proof of the session, with waiters that were last checked so long ago. */
    private void heartbeatAfter(Map<TestContender, Long> lastChecked) throws Exception {
        Session present = sessionWithAHold(other);
        long now = present.validity().from().nanoTime();
        lastChecked.forEach((waiter, ago) -> watch(waiter).confirm(now - ago));
        List<ZooKeeperContender> contenders = lastChecked.keySet().stream()
                .map(waiter -> (ZooKeeperContender) waiter.contender)
                .toList();
        WaiterCheck.heartbeat(present, contenders, new TestClock(new AtomicLong(now)), deadline());
        checkedAt = now;
    }

    private long age(TestContender waiter) {
        return watch(waiter).age(checkedAt);
    }

    @Test
    void v6_aHeartbeatChecksWaitersThatAreDueAndThoseThatSoonWillBe() throws Exception {
        long due = SESSION.dividedBy(3).toNanos();
        waiting(one).acquire();
        TestContender first = waitingBusy(other);
        TestContender soon = waitingBusy(other);
        TestContender fresh = waitingBusy(other);

        heartbeatAfter(Map.of(first, due, soon, due / 2, fresh, due / 2 - 1));

        assertThat(age(first)).isZero();
        assertThat(age(soon)).isZero();
        assertThat(age(fresh)).isEqualTo(due / 2 - 1);
    }

    @Test
    void v6_aHeartbeatChecksNoWaiterBeforeOneIsDue() throws Exception {
        long soon = SESSION.dividedBy(3).toNanos() - 1;
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        heartbeatAfter(Map.of(waiter, soon));

        assertThat(age(waiter)).isEqualTo(soon);
    }

    @Test
    void v6_aCheckOfAWaiterForPermitsAsksNothingIfTheQueueMayBeTooLong() throws Exception {
        LockMode permit = LockMode.permits(1, 1);
        contending(one, permit).acquire();
        TestContender waiter = busyOf(other, permit);
        Session present = sessionWithAHold(other);
        present.seenQueues().note(directory, Integer.MAX_VALUE);
        link.silence();

        WaiterCheck.run(present, List.of(watch(waiter)), System.nanoTime(), deadline());

        assertThat(waiter.wakeUps).as("it looks for itself").hasValue(1);
    }
}
