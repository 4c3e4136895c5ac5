package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Contenders for the permits of one semaphore, without an engine. */
class PermitsTest extends ContendersOfOneLock {

    private static LockMode permits(int count, int limit) {
        return LockMode.permits(count, limit);
    }

    private static void awaitWakeUp(TestContender waiter) {
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void s10_permitsAreGrantedUpToTheLimit() throws Exception {
        contending(one, permits(2, 4)).acquire();
        contending(other, permits(1, 4)).acquire();
        contending(other, permits(1, 4)).acquire();

        contending(one, permits(1, 4)).findBusy();
    }

    @Test
    void s10_theLimitOfARequestCountsForThisRequest() throws Exception {
        contending(one, permits(1, 2)).acquire();
        contending(one, permits(1, 2)).acquire();
        TestContender greater = contending(other, permits(1, 3));

        greater.acquire();

        contending(one, permits(1, 2)).findBusy();
        contending(other, permits(1, 9)).findBusy();
    }

    @Test
    void v10_aSmallRequestDoesNotOvertakeALargeOne() throws Exception {
        Grant held = contending(one, permits(2, 3)).acquire();
        TestContender large = busyOf(other, permits(2, 3));
        TestContender small = busyOf(one, permits(1, 3));

        release(held);
        awaitWakeUp(large);
        small.findBusy();
        large.acquire();
        awaitWakeUp(small);

        small.acquire();
    }

    @Test
    void v10_aWaiterThatGetsInWakesTheNextOne() throws Exception {
        Grant held = contending(one, permits(3, 3)).acquire();
        TestContender first = busyOf(one, permits(1, 3));
        TestContender second = busyOf(other, permits(1, 3));
        TestContender third = busyOf(one, permits(1, 3));
        TestContender fourth = busyOf(other, permits(1, 3));

        release(held);
        awaitWakeUp(first);
        assertThat(List.of(second, third, fourth))
                .allSatisfy(waiter -> assertThat(waiter.wakeUps).hasValue(0));
        Grant next = first.acquire();
        awaitWakeUp(second);
        assertThat(third.wakeUps).hasValue(0);
        second.acquire();
        awaitWakeUp(third);
        third.acquire();
        awaitWakeUp(fourth);
        fourth.findBusy();
        fourth.findBusy();
        fourth.wakeUps.set(0);
        release(next);
        awaitWakeUp(fourth);

        fourth.acquire();
    }

    @Test
    void v10_anyHolderThatReleasesWakesTheFirstWaiterAndNoOther() throws Exception {
        Grant held = contending(one, permits(1, 2)).acquire();
        contending(one, permits(1, 2)).acquire();
        TestContender first = busyOf(other, permits(1, 2));
        TestContender second = busyOf(other, permits(1, 2));
        assertThat(first.wakeUps).as("a waiter that comes wakes nobody").hasValue(0);

        release(held);
        awaitWakeUp(first);

        assertThat(second.wakeUps).hasValue(0);
        first.acquire();
    }

    @Test
    void v10_aLargeRequestWaitsForSeveralReleases() throws Exception {
        Grant first = contending(one, permits(1, 3)).acquire();
        Grant second = contending(one, permits(1, 3)).acquire();
        contending(one, permits(1, 3)).acquire();
        TestContender large = busyOf(other, permits(2, 3));

        release(first);
        large.findBusy();
        assertThat(large.wakeUps).hasValue(0);
        release(second);
        awaitWakeUp(large);

        large.acquire();
    }

    @Test
    void v10_theNextWaiterIsServedIfALargeRequestGivesUp() throws Exception {
        contending(one, permits(2, 3)).acquire();
        TestContender large = busyOf(other, permits(2, 3));
        TestContender small = busyOf(one, permits(1, 3));

        large.withdraw();
        awaitWakeUp(small);

        small.acquire();
    }

    /** Makes a session that lists the directory at once, and a request for a watch that arrives later. */
    private Fault delayWatch(String path) throws InterruptedException {
        TestContender earlier = contending(other, permits(1, 2));
        earlier.findBusy();
        earlier.withdraw();
        // The path precedes a flag that is set if the request asks for a watch. After two thirds of the session timeout
        // without an answer, the client would connect again.
        return link.delayNextRequest(FaultProxy.containing(path + "\u0001"), ZooKeeperFactory.SESSION.dividedBy(2));
    }

    @Test
    void v2_aWaiterNoticesThatItsPredecessorGotInBeforeTheWatch() throws Exception {
        Grant held = contending(one, permits(2, 2)).acquire();
        TestContender first = busyOf(one, permits(1, 2));
        Fault delayed = delayWatch(nodes().get(1));
        TestContender late = contending(other, permits(1, 2));
        late.findBusy();

        release(held);
        awaitWakeUp(first);
        first.acquire();
        assertThat(delayed.hasStruck()).isFalse();
        awaitWakeUp(late);

        late.acquire();
    }

    @Test
    void v2_theFirstWaiterNoticesAReleaseBeforeTheWatch() throws Exception {
        Grant held = contending(one, permits(2, 2)).acquire();
        Fault delayed = delayWatch(directory);
        TestContender late = contending(other, permits(1, 2));
        late.findBusy();

        release(held);
        assertThat(delayed.hasStruck()).isFalse();
        awaitWakeUp(late);

        late.acquire();
    }

    @Test
    void v2_aHeartbeatFindsPermitsAlthoughTheWakeUpWasLost() throws Exception {
        Grant held = contending(one, permits(2, 2)).acquire();
        TestContender first = busyOf(one, permits(1, 2));
        TestContender second = busyOf(other, permits(1, 2));
        Fault lost = link.dropNextPush(FaultProxy.containing(nodes().get(1)));
        release(held);
        awaitWakeUp(first);
        first.acquire();
        await("the event is lost", lost::hasStruck);

        Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));
        other.heartbeat(List.of(second.contender), deadline());

        assertThat(second.wakeUps).hasValue(1);
        second.acquire();
    }

    @Test
    void v2_aHeartbeatFindsAReleaseThatWasNotReported() throws Exception {
        Grant held = contending(one, permits(1, 1)).acquire();
        TestContender waiter = busyOf(other, permits(1, 1));
        Fault lost = link.dropNextPush(FaultProxy.containing(directory));
        release(held);
        await("the event is lost", lost::hasStruck);

        Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));
        other.heartbeat(List.of(waiter.contender), deadline());

        assertThat(waiter.wakeUps).hasValue(1);
        waiter.acquire();
    }

    @Test
    void v6_aHeartbeatLetsAWaiterSleepThatMustStillWait() throws Exception {
        contending(one, permits(1, 1)).acquire();
        TestContender first = busyOf(other, permits(1, 1));
        TestContender second = busyOf(other, permits(1, 1));

        Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));
        other.heartbeat(List.of(first.contender, second.contender), deadline());

        assertThat(first.wakeUps).hasValue(0);
        assertThat(second.wakeUps).hasValue(0);
        link.silence();
        first.findBusy();
        second.findBusy();
    }

    @Test
    void v6_nothingStaysForWaitersThatGiveUp() throws Exception {
        contending(one, permits(1, 1)).acquire();
        TestContender first = busyOf(other, permits(1, 1));
        TestContender second = busyOf(other, permits(1, 1));
        List<WeakReference<TestContender>> references =
                List.of(new WeakReference<>(first), new WeakReference<>(second));

        second.withdraw();
        second.contender.forget();
        first.withdraw();
        first.contender.forget();
        first = null;
        second = null;

        await("the backend has forgotten them", () -> {
            System.gc();
            return references.stream().allMatch(reference -> reference.refersTo(null));
        });
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void v6_aSingleTryLeavesNothing() throws Exception {
        contending(one, permits(2, 3)).acquire();
        TestContender large =
                new TestContender(other, request().withMode(permits(2, 3)).withoutWaiting());
        large.findBusy();
        new TestContender(other, request().withMode(permits(2, 3)).withoutWaiting()).findBusy();

        new TestContender(other, request().withMode(permits(1, 3)).withoutWaiting()).acquire();

        assertThat(nodes()).hasSize(2);
    }

    @Test
    void v1_permitsOfAnEndedSessionAreFree() throws Exception {
        contending(other, permits(2, 2)).acquire();
        TestContender waiter = busyOf(one, permits(1, 2));

        other.close();
        awaitWakeUp(waiter);

        waiter.acquire();
    }

    @Test
    void s6_theInspectorShowsThePermitsOfEachHolder() throws Exception {
        Grant first = contending(one, permits(2, 3)).acquire();
        TestContender waited = busyOf(other, permits(2, 3));
        busyOf(one, permits(1, 3));
        release(first);
        awaitWakeUp(waited);
        Grant held = waited.acquire();
        busyOf(one, permits(3, 3));

        LockStatus status = one.inspect("lock", deadline());

        assertThat(status.holders()).extracting(LockStatus.Holder::mode).containsExactly(permits(2, 3), permits(1, 3));
        assertThat(status.holders().get(0).fencingToken() >> 8).isEqualTo(held.fencingBase());
        assertThat(status.waiters()).extracting(LockStatus.Waiter::mode).containsExactly(permits(3, 3));
    }

    @Test
    void s5_aForcedReleaseEndsAllHoldsOfPermits() throws Exception {
        contending(one, permits(1, 2)).acquire();
        contending(other, permits(1, 2)).acquire();
        TestContender waiter = busyOf(one, permits(1, 2));

        assertThat(other.forceRelease("lock", OptionalLong.empty(), deadline())).hasSize(2);

        awaitWakeUp(waiter);
        waiter.acquire();
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void s10_anotherLimitIsLoggedOnce() throws Exception {
        List<String> lines;
        try (CapturedLog log = new CapturedLog()) {
            contending(one, permits(1, 2)).acquire();
            contending(one, permits(1, 2)).acquire();
            busyOf(other, permits(1, 1));
            busyOf(other, permits(1, 1));
            lines = log.lines();
        }

        assertThat(lines)
                .filteredOn(line -> line.contains("semaphore \"lock\""))
                .singleElement()
                .asString()
                .contains("limit of 1 permits", "another client has 2");
    }
}
