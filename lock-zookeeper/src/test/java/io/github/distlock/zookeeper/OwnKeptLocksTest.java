package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a client deletes the nodes of its own kept locks, and when it forgets them. */
class OwnKeptLocksTest extends ContendersOfOneLock {
    private static final Duration TIME = Duration.ofSeconds(100);
    /** Clocks may drift by a hundredth. */
    private static final long END = Duration.ofSeconds(101).toNanos();

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final String kept = base + "/kept";
    private final AtomicLong now = new AtomicLong();
    private final OwnKeptLocks locks = new OwnKeptLocks(new TestClock(now));
    private Session session;

    @BeforeEach
    void connect() throws Exception {
        session = sessionWithAHold(other);
        create(kept);
        locks.add(kept, TIME);
    }

    private void create(String path) throws Exception {
        var unused = operator.create(path, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    /** Does what the thread of the client does, and waits for what the server does. */
    private boolean existsAfterDeletion() throws InterruptedException {
        locks.deleteOver(session);
        var unused = other.inspect("another", TestContender.deadline());
        return SharedZooKeeper.exists(kept);
    }

    @Test
    void s13_aNodeIsDeletedOnlyWhenItsTimeIsOverByAnyClock() throws Exception {
        now.set(END - 1);
        assertThat(existsAfterDeletion()).isTrue();

        now.set(END);

        assertThat(existsAfterDeletion()).isFalse();
    }

    @Test
    void v6_aNodeThatIsDeletedIsForgotten() throws Exception {
        now.set(END);
        assertThat(existsAfterDeletion()).isFalse();
        locks.deleteOver(session);
        create(kept);

        assertThat(existsAfterDeletion()).isTrue();
        assertThat(existsAfterDeletion()).isTrue();
    }

    @Test
    void v6_aNodeWhoseDeletionIsRefusedIsForgotten() throws Exception {
        create(kept + "/child");
        now.set(END);
        assertThat(existsAfterDeletion()).isTrue();
        locks.deleteOver(session);
        operator.delete(kept + "/child", -1);

        assertThat(existsAfterDeletion()).isTrue();
        assertThat(existsAfterDeletion()).isTrue();
    }

    @Test
    void v6_aDeletionWhoseOutcomeIsUnknownIsSentAgain() {
        now.set(END);
        link.silence();
        locks.deleteOver(session);
        link.heal();
        link.cut();

        await("it is deleted", () -> {
            locks.deleteOver(session);
            return !SharedZooKeeper.exists(kept);
        });
    }

    @Test
    void v7_anInterruptedThreadStaysInterruptedAndDeletesAgain() throws Exception {
        now.set(END);
        assertThat(existsAfterDeletion()).isFalse();
        create(kept);

        Thread.currentThread().interrupt();
        locks.deleteOver(session);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(existsAfterDeletion()).isFalse();
    }
}
