package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.junit.jupiter.api.Test;

/** What a {@link PredecessorWatch} says of itself, and how it ends. */
class PredecessorWatchTest extends ContendersOfOneLock {

    @Test
    void s1_aWatchSpeaksOnlyForItsSessionAndItsNode() throws Exception {
        Grant held = waiting(one).acquire();
        Session elsewhere = session(held);
        Session present = sessionWithAHold(other);
        TestContender waiter = waitingBusy(other);
        PredecessorWatch watch = watch(waiter);

        assertThat(watch.isSet(present)).isTrue();
        assertThat(watch.isSet(elsewhere)).isFalse();
        assertThat(watch.isOn(present, watch.predecessor())).isTrue();
        assertThat(watch.isOn(present, watch.own())).isFalse();
        assertThat(watch.isOn(elsewhere, watch.predecessor())).isFalse();
        release(held);
        await("the deletion is the grant", () -> watch.isGrant(present));
        assertThat(watch.isGrant(elsewhere)).isFalse();
    }

    @Test
    void v6_onlyWaitersForPermitsNeedTheNamesOfTheQueue() throws Exception {
        contending(one, LockMode.permits(1, 1)).acquire();
        assertThat(watch(busyOf(other, LockMode.permits(1, 1))).needsNames()).isTrue();
        contender(one, "another").acquire();
        TestContender waiter = contender(other, "another");
        waiter.findBusy();

        assertThat(watch(waiter).needsNames()).isFalse();
    }

    @Test
    void v6_aWaiterForPermitsWaitsForAsLongAsTheyDoNotFit() throws Exception {
        contending(one, LockMode.permits(1, 3)).acquire();
        contending(one, LockMode.permits(2, 3)).acquire();
        PredecessorWatch watch = watch(busyOf(other, LockMode.permits(2, 3)));
        List<String> all = nodes();

        assertThat(watch.isBehindIn(LockQueue.of(all))).isTrue();
        assertThat(watch.isBehindIn(LockQueue.of(all.subList(1, 3)))).isTrue();
        assertThat(watch.isBehindIn(LockQueue.of(List.of(all.get(0), all.get(2)))))
                .isFalse();
        assertThat(watch.isBehindIn(LockQueue.of(all.subList(0, 2)))).isFalse();
    }

    @Test
    void s13_aWaiterLooksWhenAKeptLockBecomesTheFirstNode() throws Exception {
        waiting(one).acquire();
        waitingBusy(one);
        PredecessorWatch watch = watch(waitingBusy(other));
        List<String> all = nodes();
        String kept = all.get(0).replace("-lock-", "-kept-lock-");

        assertThat(watch.isBehindIn(LockQueue.of(all))).isTrue();
        assertThat(watch.isBehindIn(LockQueue.of(List.of(kept, all.get(1), all.get(2)))))
                .isFalse();
    }

    @Test
    void v6_nothingIsKeptForAWatchThatHasEnded() throws Exception {
        Grant held = waiting(one).acquire();
        Session present = sessionWithAHold(other);
        SessionLife life = present.life();
        TestContender second = waitingBusy(one);
        TestContender third = waitingBusy(other);
        assertThat(life.dependents()).isEqualTo(2);

        second.withdraw();

        await("the third is woken", () -> third.wakeUps.get() == 1);
        assertThat(life.dependents()).as("its predecessor is gone").isOne();
        third.findBusy();
        assertThat(life.dependents()).as("it watches the next one").isEqualTo(2);
        await("it is set", () -> watch(third).isSet(present));
        release(held);
        await("the third is woken again", () -> third.wakeUps.get() == 2);
        assertThat(life.dependents()).as("the deletion is its grant").isOne();
    }

    @Test
    void v6_nothingIsKeptForAWaiterThatTheEngineForgets() throws Exception {
        waiting(one).acquire();
        SessionLife life = sessionWithAHold(other).life();
        TestContender waiter = waitingBusy(other);

        waiter.contender.forget();

        assertThat(life.dependents()).isOne();
    }

    @Test
    void s1_aDeletionGrantsNothingWithoutAConnection() throws Exception {
        Grant held = waiting(one).acquire();
        Session present = sessionWithAHold(other);
        TestContender waiter = waitingBusy(other);
        PredecessorWatch watch = watch(waiter);
        release(held);
        await("the deletion is the grant", () -> watch.isGrant(present));

        link.refuse();
        link.cut();

        await("it is no grant any more", () -> !watch.isGrant(present));
        Deadline soon = Deadline.after(Duration.ofMillis(500), LockClock.system());
        assertThatThrownBy(() -> waiter.contender.attempt(soon)).isInstanceOf(RuntimeException.class);
    }

    @Test
    void v2_aWaiterIsWokenWhenItsSessionEnds() throws Exception {
        waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        other.disconnect();

        await("it is woken", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void s13_aWaiterEndsAKeptLockThatIsItsPredecessorOrBehindAnotherProgram() throws Exception {
        TestContender holder = new TestContender(one, request().withMinimumHold(Duration.ofMinutes(1)));
        Grant held = holder.acquire();
        PredecessorWatch second = watch(waitingBusy(other));
        PredecessorWatch third = watch(waitingBusy(other));
        createForeign();
        PredecessorWatch last = watch(waitingBusy(other));

        assertThat(second.endsKept()).isTrue();
        assertThat(second.needsNames()).isFalse();
        assertThat(third.endsKept()).as("its predecessor does").isFalse();
        assertThat(third.needsNames()).isFalse();
        assertThat(last.endsKept()).as("its predecessor never does").isTrue();
        assertThat(last.needsNames()).isTrue();
        assertThat(last.isBehindIn(LockQueue.of(nodes()))).isTrue();
        assertThat(held.keep(Duration.ofMinutes(1), TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
        assertThat(last.isBehindIn(LockQueue.of(nodes())))
                .as("another node is first")
                .isFalse();
        PredecessorWatch later = watch(waitingBusy(other));
        assertThat(later.isBehindIn(LockQueue.of(nodes())))
                .as("it knows the first node")
                .isTrue();
    }

    @Test
    void s13_aWaiterEndsNoLockThatNobodyKeeps() throws Exception {
        waiting(one).acquire();

        assertThat(watch(waitingBusy(other)).endsKept()).isFalse();
    }

    @Test
    void v6_nothingIsKeptForAWatchThatCannotBeSet() throws Exception {
        Session present = sessionWithAHold(other);
        String own = directory + "/" + "_c_x-lock-0000000001";
        LockQueue queue = new LockQueue(List.of("_c_y-lock-0000000000"));

        assertThatThrownBy(() ->
                        PredecessorWatch.set(present, own, "no path", queue, new TestContender(other, request()), 0))
                .isInstanceOf(IllegalArgumentException.class);

        assertThat(present.life().dependents()).isOne();
    }

    @Test
    void v2_aWaiterIsWokenByTheEndOfItsSessionAlone() throws Exception {
        waiting(one).acquire();
        Session present = sessionWithAHold(other);
        TestContender waiter = waitingBusy(other);

        present.life().end();

        assertThat(waiter.wakeUps).hasValue(1);
    }

    private void createForeign() throws Exception {
        var unused = SharedZooKeeper.operator()
                .create(
                        directory + "/_c_other-lock-",
                        "192.168.1.5".getBytes(StandardCharsets.UTF_8),
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.EPHEMERAL_SEQUENTIAL);
    }
}
