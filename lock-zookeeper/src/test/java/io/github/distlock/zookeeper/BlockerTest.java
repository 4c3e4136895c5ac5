package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;

/** What a waiter says about the node that it waits behind. */
class BlockerTest extends ContendersOfOneLock {
    private final ZooKeeper operator = SharedZooKeeper.operator();

    private static String blocker(TestContender waiter) {
        return waiter.contender.blocker().orElseThrow();
    }

    private String path(int position) {
        return directory + "/" + nodes().get(position);
    }

    @Test
    void v1_aWaiterTellsWhoBlocksItSinceWhenAndForHowLongAfterACrash() throws Exception {
        TestContender.waiting(one).acquire();
        Duration expiry = one.expiry(TestContender.request());
        Stat stat = operator.exists(path(0), false);

        TestContender waiter = TestContender.waitingBusy(other);

        assertThat(blocker(waiter))
                .startsWith("it waits behind " + path(0) + ", which client in process 7 on host, thread \"thread\""
                        + " created at " + Instant.ofEpochMilli(stat.getCtime()) + ", ")
                .endsWith(" ms ago; it ends with session 0x" + Long.toHexString(stat.getEphemeralOwner()) + ", at most "
                        + expiry.toMillis() + " ms after a crash of its client or after the last election");
    }

    @Test
    void v1_aWaiterBehindAnotherWaiterTellsWhichNodeIsFirst() throws Exception {
        TestContender.waiting(one).acquire();
        TestContender.waitingBusy(one);

        TestContender third = TestContender.waitingBusy(other);

        assertThat(blocker(third))
                .startsWith("it waits behind " + path(1) + ", ")
                .endsWith("; the first node of the queue was " + path(0));
    }

    @Test
    void v1_aWaiterTellsThatANodeWithoutASessionDoesNotEndByItself() throws Exception {
        TestContender.waiting(one).acquire();
        var unused = operator.create(
                directory + "/lock-",
                "10.0.0.1".getBytes(StandardCharsets.US_ASCII),
                Ids.OPEN_ACL_UNSAFE,
                CreateMode.PERSISTENT_SEQUENTIAL);

        TestContender waiter = TestContender.waitingBusy(other);

        assertThat(blocker(waiter))
                .contains("it waits behind " + path(1) + ", which unknown in process 0 on 10.0.0.1")
                .contains("it has no session, so it stays until a program deletes it");
    }

    @Test
    void s13_aWaiterTellsUntilWhenTheLockIsKept() throws Exception {
        Duration minute = Duration.ofMinutes(1);
        TestContender holder = new TestContender(one, TestContender.request().withMinimumHold(minute));
        assertThat(holder.acquire().keep(minute, TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
        Stat stat = operator.exists(path(0), false);

        TestContender waiter = TestContender.waitingBusy(other);

        assertThat(blocker(waiter))
                .endsWith(" ms ago; it keeps the lock for the rest of a minimum hold or a lock delay, until "
                        + Instant.ofEpochMilli(stat.getMtime()).plus(minute));
    }

    @Test
    void v4_aDescriptionSendsNothing() throws Exception {
        TestContender.waiting(one).acquire();
        TestContender waiter = TestContender.waitingBusy(other);
        link.close();

        assertThat(blocker(waiter)).startsWith("it waits behind " + path(0) + ", which ");
    }

    @Test
    void v6_aContenderThatDoesNotWaitTellsNothing() throws Exception {
        TestContender holder = TestContender.waiting(one);
        holder.acquire();

        assertThat(holder.contender.blocker()).isEmpty();
    }
}
