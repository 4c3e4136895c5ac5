package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockStatus.Holder;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a hold's request for another base answers and leaves, without an engine. */
class NextBaseTest extends ContendersOfOneLock {
    private static final Predicate<byte[]> OF_A_NODE = FaultProxy.containing("-lock-");

    private final Predicate<byte[]> ofTheLock = FaultProxy.containing(directory);
    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final CuratorFramework curator = CuratorFrameworkFactory.newClient(link.address(), new RetryOneTime(100));
    private final LockBackend supplied =
            ZooKeeperBackend.builder(curator).basePath(base).build();
    private final CountDownLatch unblocked = new CountDownLatch(1);

    @AfterEach
    void closeSupplied() {
        unblocked.countDown();
        supplied.close();
        curator.close();
    }

    private static OptionalLong nextBase(Grant held) throws InterruptedException {
        return held.nextBase(deadline());
    }

    private List<Holder> forceRelease(long named) throws InterruptedException {
        return one.forceRelease("lock", OptionalLong.of(named), deadline());
    }

    /** Returns how often a node has been written. */
    private int writes(int position) throws Exception {
        return operator.exists(directory + "/" + nodes().get(position), false).getVersion();
    }

    /** Acquires the lock over a caller-supplied client, whose event thread the application then blocks. */
    private Grant acquireAndBlock() throws Exception {
        curator.start();
        supplied.start(new RecordingContext("test"));
        Grant held = waiting(supplied).acquire();
        CountDownLatch blocked = new CountDownLatch(1);
        curator.checkExists()
                .inBackground((client, event) -> {
                    blocked.countDown();
                    unblocked.await();
                })
                .forPath("/");
        assertThat(blocked.await(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        return held;
    }

    private interface Step {
        void run() throws Exception;
    }

    /**
     * Asks for another base, and does something just before a request of this arrives at the server. While the event
     * thread is blocked, the client sends its requests one by one.
     */
    private OptionalLong nextBaseDuring(Predicate<byte[]> which, Grant held, Step step) throws Exception {
        var unused = supplied.inspect("lock", deadline());
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        link.delayNextRequest(
                request -> {
                    boolean isMeant = which.test(request) && ofTheLock.test(request);
                    if (isMeant) {
                        arrived.countDown();
                        awaitQuietly(done);
                    }
                    return isMeant;
                },
                Duration.ZERO);
        FutureTask<OptionalLong> asked = new FutureTask<>(() -> nextBase(held));
        new Thread(asked).start();
        try {
            assertThat(arrived.await(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            step.run();
        } finally {
            done.countDown();
        }
        return asked.get(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void s3_anotherBaseIsAboveEarlierOnesAndBelowThoseOfLaterHolds() throws Exception {
        Grant held = waiting(one).acquire();

        long second = nextBase(held).orElseThrow();
        long third = nextBase(held).orElseThrow();

        assertThat(List.of(held.fencingBase(), second, third)).isSorted().doesNotHaveDuplicates();
        TestContender waiter = waitingBusy(other);
        release(held);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
        link.silence();
        assertThat(waiter.acquire().fencingBase())
                .as("that of a waiter whose grant is the deletion")
                .isGreaterThan(third);
    }

    @Test
    void v3_noBaseIsMintedWhileAnotherContenderWaits() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);

        assertThat(nextBase(held)).isEmpty();

        release(held);
        await("the waiter holds the lock", () -> isGranted(waiter));
    }

    private static boolean isGranted(TestContender waiter) {
        try {
            return waiter.attempt() instanceof Attempt.Granted;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v3_aContenderThatComesBeforeTheWriteIsSeen() throws Exception {
        Grant held = acquireAndBlock();

        OptionalLong base = nextBaseDuring(OF_A_NODE, held, () -> waiting(one).findBusy());

        assertThat(base).isEmpty();
    }

    @Test
    void s5_aHoldThatEndsAfterTheWriteGetsNoBase() throws Exception {
        Grant held = acquireAndBlock();

        OptionalLong base = nextBaseDuring(OF_A_NODE.negate(), held, () -> {
            deleteNode(0);
            waiting(one).acquire();
        });

        assertThat(base).isEmpty();
    }

    @Test
    void s5_aHoldThatIsGoneIsNotCreated() throws Exception {
        Grant held = waiting(one).acquire();
        deleteNode(0);

        assertThat(nextBase(held)).isEmpty();

        assertThat(nodes()).isEmpty();
    }

    @Test
    void s5_theHoldOfAnotherContenderDoesNotChange() throws Exception {
        Grant held = waiting(one).acquire();
        deleteNode(0);
        waiting(one).acquire();

        assertThat(nextBase(held)).isEmpty();

        assertThat(writes(0)).isZero();
    }

    @Test
    void s7_aClientThatDoesNotKnowTheAnswerCanReleaseTheHold() throws Exception {
        Grant held = waiting(other).acquire();
        link.dropNextReply(OF_A_NODE, FaultProxy.Then.CUT);

        assertThatThrownBy(() -> nextBase(held)).isInstanceOf(RuntimeException.class);

        assertThat(writes(0)).isEqualTo(1);
        release(held);
        assertThat(nodes()).isEmpty();
    }

    /** Another number could be above that of a waiter that came after the look. */
    @Test
    void s3_aWriteWhoseAnswerIsLateIsNotRepeated() throws Exception {
        Grant held = acquireAndBlock();

        assertThatThrownBy(() -> nextBase(held)).isInstanceOf(RuntimeException.class);

        assertThat(writes(0)).isEqualTo(1);
    }

    /** The write would wake the waiter. */
    @Test
    void v3_nothingIsSentIfTheClientHasSeenAnotherOne() throws Exception {
        Grant before = waiting(other).acquire();
        TestContender holder = waitingBusy(one);
        release(before);
        await("the holder is woken", () -> holder.wakeUps.get() > 0);
        Grant held = holder.acquire();

        assertThat(nextBase(held)).isEmpty();

        assertThat(writes(0)).isZero();
    }

    @Test
    void v3_aHoldBehindOneOfItsOwnClientGetsAnotherBase() throws Exception {
        Grant before = waiting(one).acquire();
        TestContender holder = waitingBusy(one);
        release(before);
        await("the holder is woken", () -> holder.wakeUps.get() > 0);

        assertThat(nextBase(holder.acquire())).isPresent();
    }

    @Test
    void v11_aStickyHoldStillHearsOfOthers() throws Exception {
        TestContender holder = new TestContender(one, request().withSticky(true));
        Grant held = holder.acquire();

        assertThat(nextBase(held)).isPresent();

        assertThat(held.hearsOthers()).isTrue();
        new TestContender(other, request().withoutWaiting()).findBusy();
        await("the holder hears of the try", () -> holder.timesWanted.get() > 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void api_eachBaseOfAHoldNamesItForAForcedRelease(int which) throws Exception {
        Grant held = waiting(other).acquire();
        List<Long> bases = List.of(
                held.fencingBase(), nextBase(held).orElseThrow(), nextBase(held).orElseThrow());

        List<Holder> ended = forceRelease(bases.get(which));

        assertThat(ended).extracting(holder -> holder.fencingToken() >> 8).containsExactly(held.fencingBase());
        assertThat(nodes()).isEmpty();
    }

    @Test
    void api_theBasesOfAnEarlierHoldDoNotNameTheNextOne() throws Exception {
        Grant before = waiting(one).acquire();
        long last = nextBase(before).orElseThrow();
        release(before);
        waiting(one).acquire();

        assertThat(forceRelease(before.fencingBase())).isEmpty();
        assertThat(forceRelease(last)).isEmpty();

        assertThat(nodes()).hasSize(1);
    }
}
