package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A companion without contenders. An operator creates and deletes the holder's node. */
class CompanionTest extends ContendersOfOneLock {
    private static final Duration DELAY = Duration.ofMinutes(1);
    private static final LockRequest DELAYED = request().withLockDelay(DELAY);

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final String holder = base + "/_c_00000000-0000-0000-0000-000000000000-delay-lock-0000000007";
    private final String companion = NodeName.kept(holder);
    private Connection connection;
    private Session session;

    @BeforeEach
    void connect() throws InterruptedException {
        Grant held = waiting(one).acquire();
        connection = (Connection) held.server();
        session = session(held);
    }

    private void create(String path) throws Exception {
        var unused = operator.create(path, new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    private KeptLock pending() throws Exception {
        create(holder);
        assertThat(Companion.create(session, holder, DELAYED, deadline())).isTrue();
        operator.delete(holder, -1);
        return KeptLock.read(session, companion, deadline());
    }

    @Test
    void s15_aHolderThatIsGoneGetsNoCompanion() throws Exception {
        assertThat(Companion.create(session, holder, DELAYED, deadline())).isFalse();

        assertThat(SharedZooKeeper.exists(companion)).isFalse();
    }

    @Test
    void s15_aContenderWhoseNodeIsGoneGetsNoCompanion() throws Exception {
        QueueNode node = new QueueNode(new LockDirectory(connection, "lock", directory));
        node.sendCreation(session, DELAYED);
        operator.delete(requireNonNull(node.find(session, deadline())).path(), -1);

        assertThat(node.accompany(session, DELAYED, deadline())).isFalse();
    }

    @Test
    void s7_aCompanionThatExistsIsTheOneOfAnEarlierRequest() throws Exception {
        create(holder);
        assertThat(Companion.create(session, holder, DELAYED, deadline())).isTrue();

        assertThat(Companion.create(session, holder, DELAYED, deadline())).isTrue();
    }

    @Test
    void s15_aReleaseOfAHolderThatIsGoneSaysSo() throws Exception {
        assertThat(Companion.release(session, holder, deadline())).isFalse();
    }

    @Test
    void s15_aReleaseDeletesACompanionThatWasCreatedMeanwhile() throws Exception {
        create(holder);
        var sent = Companion.sendRelease(session, holder);
        sent.awaitArrival(deadline());
        create(companion);

        assertThat(Companion.isReleased(session, holder, sent, deadline())).isTrue();

        assertThat(SharedZooKeeper.exists(holder)).isFalse();
        assertThat(SharedZooKeeper.exists(companion)).isFalse();
    }

    @Test
    void s15_aReleaseLeavesTheCompanionOfAHolderThatIsGoneMeanwhile() throws Exception {
        create(holder);
        var sent = Companion.sendRelease(session, holder);
        sent.awaitArrival(deadline());
        create(companion);
        operator.delete(holder, -1);

        assertThat(Companion.isReleased(session, holder, sent, deadline())).isFalse();

        assertThat(SharedZooKeeper.exists(companion)).isTrue();
    }

    @Test
    void s15_theDelayOfAnUnchangedCompanionBegins() throws Exception {
        assertThat(Companion.begin(session, pending(), deadline())).isEqualTo(DELAY);

        assertThat(KeptLock.read(session, companion, deadline()).isPending()).isFalse();
    }

    @Test
    void s15_theDelayOfACompanionThatHasChangedDoesNotBegin() throws Exception {
        KeptLock pending = pending();
        operator.setData(companion, pending.data().write(), -1);

        assertThat(Companion.begin(session, pending, deadline())).isZero();

        assertThat(KeptLock.read(session, companion, deadline()).isPending()).isTrue();
    }

    @Test
    void s15_theDelayOfACompanionThatIsGoneDoesNotBegin() throws Exception {
        KeptLock pending = pending();
        operator.delete(companion, -1);

        assertThat(Companion.begin(session, pending, deadline())).isZero();

        assertThat(SharedZooKeeper.exists(companion)).isFalse();
    }
}
