package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.waiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.RecordingContext;
import java.util.ArrayList;
import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ZKConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Long queues, and a client that accepts replies of 8,500 bytes, which have room for 100 nodes. */
class LongQueueTest extends ContendersOfOneLock {
    private static final int MOST = 100;

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final CuratorFramework curator = CuratorFrameworkFactory.builder()
            .connectString(SharedZooKeeper.address())
            .retryPolicy(new RetryOneTime(100))
            .zkClientConfig(smallReplies())
            .build();
    private final LockBackend limited =
            ZooKeeperBackend.builder(curator).basePath(base).build();

    private static ZKClientConfig smallReplies() {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKConfig.JUTE_MAXBUFFER, "8500");
        return config;
    }

    private void start() {
        curator.start();
        limited.start(new RecordingContext("test"));
    }

    @AfterEach
    void closeClient() {
        limited.close();
        curator.close();
    }

    private void addNodes(int count) throws Exception {
        addNodes(count, "-lock-");
    }

    private void addNodes(int count, String kind) throws Exception {
        for (int i = 0; i < count; i++) {
            operator.create(
                    directory + "/_c_00000000-0000-0000-0000-000000000000" + kind,
                    new byte[0],
                    Ids.OPEN_ACL_UNSAFE,
                    CreateMode.PERSISTENT_SEQUENTIAL);
        }
    }

    @Test
    void v6_aQueueThatFitsIntoOneReplyTakesAnotherWaiter() throws Exception {
        start();
        waiting(one).acquire();
        addNodes(MOST - 2);

        waiting(limited).findBusy();

        assertThat(nodes()).hasSize(MOST);
    }

    @Test
    void v6_aQueueThatIsTooLongForOneReplyIsRefusedAndKeepsNothing() throws Exception {
        start();
        TestContender holder = new TestContender(limited, other());
        holder.acquire();
        waiting(one).acquire();
        addNodes(MOST);

        assertThatThrownBy(waiting(limited)::attempt)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("lock \"lock\"")
                .hasMessageContaining("jute.maxbuffer");

        assertThat(nodes()).hasSize(MOST + 1);
        assertThat(holder.timesSuspect).as("the connection continues").hasValue(0);
    }

    @Test
    void v6_anInspectionOfAQueueThatIsTooLongIsRefused() throws Exception {
        start();
        TestContender holder = new TestContender(limited, other());
        holder.acquire();
        waiting(one).acquire();
        addNodes(MOST);

        assertThatThrownBy(() -> limited.inspect("lock", TestContender.deadline()))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("jute.maxbuffer");

        assertThat(limited.inspect("other", TestContender.deadline()).holders()).hasSize(1);
        assertThat(holder.timesSuspect).as("the connection continues").hasValue(0);
    }

    @Test
    void v6_aWaiterLeavesAQueueThatHasBecomeTooLong() throws Exception {
        start();
        waiting(one).acquire();
        waiting(one).findBusy();
        addNodes(MOST / 2);
        TestContender waiter = waiting(limited);
        waiter.findBusy();
        waiter.findBusy();
        addNodes(MOST);
        deleteNode(MOST / 2 + 1);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        assertThatThrownBy(waiter::attempt)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("jute.maxbuffer");

        assertThat(nodes()).hasSize(1 + 1 + MOST / 2 - 1 + MOST);
        assertThat(waiter.timesSuspect).hasValue(0);
    }

    @Test
    void v6_theLongestNamesFitIntoOneReply() throws Exception {
        start();
        TestContender holder = new TestContender(limited, other());
        holder.acquire();
        LockMode permits = LockMode.permits(Integer.MAX_VALUE, Integer.MAX_VALUE);
        TestContender.contending(one, permits).acquire();
        addNodes(MOST - 2, "-permits-2147483647-2147483647-");

        TestContender.contending(limited, permits).findBusy();

        assertThat(holder.timesSuspect).as("the connection continues").hasValue(0);
    }

    @Test
    void v3_eachReleaseWakesOneOfFiveHundredWaiters() throws Exception {
        Grant held = waiting(one).acquire();
        List<TestContender> waiters = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            TestContender waiter = waiting(i % 2 == 0 ? one : other);
            waiter.findBusy();
            waiters.add(waiter);
        }

        for (int i = 0; i < 10; i++) {
            TestContender next = waiters.get(i);
            release(held);
            await("the next waiter is woken", () -> next.wakeUps.get() == 1);
            held = next.acquire();
        }

        assertThat(nodes()).hasSize(491);
        assertThat(waiters.stream().mapToInt(waiter -> waiter.wakeUps.get()).sum())
                .isEqualTo(10);
    }

    private static LockRequest other() {
        return LockRequest.exclusive(
                "other", ZooKeeperFactory.SESSION, TestContender.request().owner());
    }
}
