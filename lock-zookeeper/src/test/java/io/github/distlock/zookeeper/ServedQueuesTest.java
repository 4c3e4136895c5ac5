package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client that uses a lock alone does not look at its queue: see {@link ServedQueues}. */
class ServedQueuesTest extends ContendersOfOneLock {
    /** After so many acquires, the client has watched the directory, and knows two nodes that followed each other. */
    private static final int KNOWN = 5;
    /** How many directories and watches the client keeps. */
    private static final int MOST = 1_000;

    private final ZooKeeper operator = SharedZooKeeper.operator();

    /** The server would remove a directory that a client has created as soon as it is empty. */
    @BeforeEach
    void createDirectory() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
    }

    /**
     * Acquires and releases the lock with the other client until this does not look any more. The inspector reads the
     * node. This answer comes on the event thread, behind the one that confirms the watch.
     */
    private void useAlone() throws InterruptedException {
        for (int i = 0; i < KNOWN; i++) {
            Grant held = waiting(other).acquire();
            assertThat(other.inspect("lock", TestContender.deadline()).holders())
                    .hasSize(1);
            release(held);
        }
    }

    /** Notices the next request for the children of the directory or for its state. A flag follows its path. */
    private Fault nextLook() {
        return link.delayNextRequest(FaultProxy.containing(directory + "\0"), Duration.ofMillis(1));
    }

    /** Blocks the event thread, which wakes the contender. */
    private record BlockedWakeUp(CountDownLatch blocked, CountDownLatch unblocked) implements Signals {
        @Override
        public void wakeUp() {
            blocked.countDown();
            try {
                unblocked.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void wanted() {}

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }

    private long numberOfHolder() {
        return Sequence.of(nodes().get(0));
    }

    @Test
    void api_aClientThatUsesALockAloneDoesNotLookAtTheQueue() throws Exception {
        release(waiting(other).acquire());
        Fault look = nextLook();
        release(waiting(other).acquire());
        assertThat(look.hasStruck())
                .as("the client looks as long as it knows nothing")
                .isTrue();
        useAlone();
        Fault later = nextLook();

        release(waiting(other).acquire());

        assertThat(later.hasStruck()).isFalse();
    }

    @Test
    void v6_aClientThatFindsTheLockBusyLooksAtOnceNextTime() throws Exception {
        useAlone();
        Session present = sessionWithAHold(other);
        ServedQueues.Queue queue = present.servedQueues().of(directory);
        assertThat(queue.expectsFirst()).isTrue();
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        assertThat(queue.expectsFirst()).isFalse();
        assertThat(queue.isFirst(Sequence.of(nodes().get(0)), queue.watch())).isFalse();
        waiter.withdraw();
        release(held);
        release(waiting(other).acquire());
        assertThat(queue.expectsFirst()).as("it knows one node").isFalse();
    }

    @Test
    void s1_aNodeInBetweenKeepsTheLock() throws Exception {
        useAlone();
        waiting(one).acquire();

        waitingBusy(other);
    }

    @Test
    void s1_theNodeOfAnotherCallerOfTheClientKeepsTheLock() throws Exception {
        useAlone();
        waiting(other).acquire();

        waitingBusy(other);
    }

    @Test
    void s1_aDirectoryThatWasCreatedAgainIsAnotherOne() throws Exception {
        useAlone();

        createDirectoryAgain();

        waitingBusy(other);
    }

    @Test
    void s1_aDirectoryThatWasCreatedAgainIsAnotherOneWhileTheEventWaits() throws Exception {
        useAlone();
        LockRequest another = LockRequest.exclusive(
                "another", ZooKeeperFactory.SESSION, request().owner());
        Grant before = new TestContender(one, another).acquire();
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch unblocked = new CountDownLatch(1);
        Contender blocks = other.contend(another, new BlockedWakeUp(blocked, unblocked));
        assertThat(blocks.attempt(TestContender.deadline())).isInstanceOf(Attempt.Busy.class);
        release(before);
        blocked.await();
        try {
            createDirectoryAgain();

            waiting(other).findBusy();
        } finally {
            unblocked.countDown();
        }
    }

    /**
     * Has the client that uses the lock alone acquire it once more. Then creates the directory again, and has the other
     * client hold the lock with the number that the first one used last.
     */
    private void createDirectoryAgain() throws Exception {
        Grant last = waiting(other).acquire();
        long number = numberOfHolder();
        release(last);
        operator.delete(directory, -1);
        operator.create(directory, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        Grant held = waiting(one).acquire();
        while (numberOfHolder() < number) {
            release(held);
            held = waiting(one).acquire();
        }
        assertThat(numberOfHolder())
                .as("so the next number follows that of the client")
                .isEqualTo(number);
    }

    private static String name(long number) {
        return "_c_x-lock-%010d".formatted(number);
    }

    /** Waits for the answers to all requests of the other client, and for the events before them. */
    private void awaitAnswers() throws InterruptedException {
        var unused = other.inspect("another", TestContender.deadline());
    }

    /** Returns a queue that the session watches, and in which its first node, which has this number, is deleted. */
    private ServedQueues.Queue served(Session session, long number) throws InterruptedException {
        ServedQueues.Queue queue = session.servedQueues().of(directory);
        for (long before = number - 2; before < number; before++) {
            queue.wasFirst(name(before), queue.watch());
        }
        await("the directory is watched", () -> queue.watch() > 0);
        queue.wasFirst(name(number), queue.watch());
        queue.deleted(name(number));
        return queue;
    }

    @Test
    void s1_onlyTheNextNodeUnderTheSameWatchIsTheFirst() throws Exception {
        ServedQueues.Queue queue = served(sessionWithAHold(other), 9);

        assertThat(queue.watch()).isOne();
        assertThat(queue.isFirst(10, 1)).isTrue();
        assertThat(queue.isFirst(9, 1)).isFalse();
        assertThat(queue.isFirst(11, 1)).isFalse();
        assertThat(queue.isFirst(10, 0)).isFalse();
        assertThat(queue.isFirst(10, 2)).isFalse();
    }

    @Test
    void s1_noNodeIsTheFirstBehindOneThatExists() throws Exception {
        ServedQueues.Queue queue = served(sessionWithAHold(other), 9);
        queue.wasFirst(name(10), 1);

        assertThat(queue.isFirst(11, 1)).isFalse();
        assertThat(queue.expectsFirst()).isFalse();
        queue.deleted(name(9));
        assertThat(queue.isFirst(11, 1)).as("another node is deleted").isFalse();
        queue.deleted(name(10));
        queue.deleted(name(9));
        assertThat(queue.isFirst(11, 1)).isTrue();
        assertThat(queue.expectsFirst()).isTrue();
    }

    @Test
    void s1_noNodeIsTheFirstBehindOneOfAnotherWatch() throws Exception {
        ServedQueues.Queue queue = served(sessionWithAHold(other), 9);
        queue.wasFirst(name(10), 0);
        queue.deleted(name(10));

        assertThat(queue.isFirst(11, 1)).isFalse();
        assertThat(queue.isFirst(11, 0)).isFalse();
        assertThat(queue.expectsFirst()).isFalse();
    }

    @Test
    void s1_noNodeIsTheFirstBehindThatOfAnotherContender() throws Exception {
        ServedQueues.Queue queue = served(sessionWithAHold(other), 9);

        queue.wasNotFirst();

        assertThat(queue.isFirst(10, 1)).isFalse();
        assertThat(queue.expectsFirst()).isFalse();
    }

    @Test
    void v6_aNodeIsExpectedToBeFirstOnlyIfTheLastTwoFollowedEachOther() throws Exception {
        ServedQueues.Queue queue = served(sessionWithAHold(other), 9);
        assertThat(queue.expectsFirst()).isTrue();
        queue.wasFirst(name(11), 1);
        queue.deleted(name(11));

        assertThat(queue.expectsFirst()).isFalse();
        assertThat(queue.isFirst(12, 1)).isTrue();
    }

    @Test
    void v6_aDirectoryIsWatchedOnceTwoNodesHaveFollowedEachOther() throws Exception {
        Session present = sessionWithAHold(other);
        ServedQueues.Queue queue = present.servedQueues().of(directory);
        assertThat(queue.expectsFirst()).isFalse();
        queue.wasFirst(name(7), 0);
        queue.wasFirst(name(9), 0);
        awaitAnswers();
        assertThat(present.isWatched(directory)).isFalse();

        queue.wasFirst(name(10), 0);
        queue.deleted(name(10));

        await("the directory is watched", () -> queue.watch() == 1);
        assertThat(queue.isFirst(11, 1)).as("it was created before").isFalse();
        assertThat(queue.expectsFirst()).isFalse();
    }

    @Test
    void s1_aDirectoryThatDoesNotExistIsNotWatched() throws Exception {
        String missing = base + "/missing";
        ServedQueues.Queue queue = sessionWithAHold(other).servedQueues().of(missing);
        queue.wasFirst(name(7), 0);
        queue.wasFirst(name(8), 0);
        awaitAnswers();
        assertThat(queue.watch()).isZero();
        operator.create(missing, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);

        queue.wasFirst(name(9), 0);

        await("it is watched now", () -> queue.watch() == 1);
    }

    @Test
    void s1_anEventEndsTheWatchAndTheNextNodeAsksForAnother() throws Exception {
        Session present = sessionWithAHold(other);
        ServedQueues.Queue queue = served(present, 9);

        operator.setData(directory, new byte[0], -1);
        await("the watch has ended", () -> queue.watch() == 0);

        assertThat(queue.isFirst(10, 1)).isFalse();
        assertThat(queue.expectsFirst()).isFalse();
        queue.wasFirst(name(10), 0);
        await("there is another one", () -> queue.watch() == 2);
    }

    @Test
    void v6_onlyTheDirectoriesThatWereUsedLastStayWatched() throws Exception {
        Session present = sessionWithAHold(other);
        ServedQueues.Queue queue = served(present, 9);
        for (int i = 1; i < MOST; i++) {
            assertThat(present.servedQueues().of("/another" + i)).isNotNull();
        }
        awaitAnswers();
        assertThat(present.isWatched(directory)).isTrue();
        assertThat(present.servedQueues().of(directory)).isSameAs(queue);

        for (int i = 1; i <= MOST; i++) {
            assertThat(present.servedQueues().of("/third" + i)).isNotNull();
        }

        await("its watch is removed", () -> !present.isWatched(directory));
    }

    @Test
    void v6_aClientWithManyWatchesAlwaysLooks() throws Exception {
        Session present = sessionWithAHold(other);
        ServedQueues.Queue queue = served(present, 9);
        while (present.life().dependents() < MOST) {
            present.life().register(new Idle());
        }
        assertThat(queue.expectsFirst()).isTrue();

        present.life().register(new Idle());

        assertThat(queue.expectsFirst()).isFalse();
    }

    private static final class Idle implements SessionLife.Dependent {
        @Override
        public void disconnected() {}

        @Override
        public void connected() {}

        @Override
        public void ended() {}
    }
}
