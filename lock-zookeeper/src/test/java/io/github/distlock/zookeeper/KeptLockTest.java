package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.waiting.Waiting;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** S13: the node of a kept lock on the server, the waiters behind it, and its deletion. */
class KeptLockTest extends ContendersOfOneLock {
    private static final Duration KEPT = Duration.ofMinutes(1);
    private static final Duration BRIEFLY = Duration.ofMillis(500);
    /** Longer than a busy machine takes to look at the lock. */
    private static final Duration SHORTLY = Duration.ofSeconds(4);

    private final ZooKeeper operator = SharedZooKeeper.operator();

    private static TestContender withMinimum(LockBackend backend) {
        return new TestContender(backend, request().withMinimumHold(KEPT));
    }

    private static TestContender trying(LockBackend backend) {
        return new TestContender(backend, request().withoutWaiting());
    }

    private static void keep(Grant held, Duration time) throws InterruptedException {
        assertThat(held.keep(time, TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
    }

    /** Shortens the time of the kept lock to a millisecond, and waits for its end. */
    private void endTime() throws Exception {
        String node = directory + "/" + nodes().get(0);
        String data = new String(operator.getData(node, false, null), StandardCharsets.UTF_8);
        operator.setData(node, data.replaceAll("kept=\\d+", "kept=1").getBytes(StandardCharsets.UTF_8), -1);
        Waiting.letPass(Duration.ofMillis(5));
    }

    @Test
    void s13_aPersistentNodeTakesThePlaceOfTheHoldersNode() throws Exception {
        Grant held = withMinimum(one).acquire();
        String holder = nodes().get(0);

        keep(held, KEPT);
        one.close();

        assertThat(nodes()).containsExactly(holder.replace("-minimum-lock-", "-kept-lock-"));
        assertThat(operator.exists(directory + "/" + nodes().get(0), false).getEphemeralOwner())
                .isZero();
        trying(other).findBusy();
        waiting(other).findBusy();
    }

    @Test
    void s1_theReleaseOfAKeptLockIsNoGrantForTheWaiter() throws Exception {
        Grant held = withMinimum(one).acquire();
        TestContender waiter = waitingBusy(other);

        keep(held, KEPT);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        waiter.findBusy();
        assertThat(nodes()).hasSize(2);
    }

    @Test
    void s13_theWaiterAsksAgainWhenTheTimeIsOverAndDeletesTheNode() throws Exception {
        Grant held = withMinimum(one).acquire();
        TestContender waiter = waitingBusy(other);
        keep(held, BRIEFLY);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        Attempt answer = waiter.attempt();
        while (answer instanceof Attempt.Busy busy) {
            assertThat(busy.retryAfter()).isLessThanOrEqualTo(BRIEFLY);
            Waiting.letPass(busy.retryAfter());
            answer = waiter.attempt();
        }

        assertThat(answer).isInstanceOf(Attempt.Granted.class);
        assertThat(nodes()).hasSize(1);
        assertThat(nodes().get(0)).contains("-lock-").doesNotContain("kept");
    }

    @Test
    void s13_aTryDeletesANodeWhoseTimeIsOver() throws Exception {
        keep(withMinimum(one).acquire(), KEPT);
        trying(other).findBusy();
        endTime();

        Grant next = trying(other).acquire();

        assertThat(nodes()).hasSize(1);
        release(next);
        assertThat(nodes()).isEmpty();
    }

    @Test
    void s12_aKeptNameIsALockUntilTheTimeIsOver() throws Exception {
        keep(withMinimum(one).acquire(), KEPT);

        assertThatThrownBy(contending(other, LockMode.READ)::attempt)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("used as a lock");
        assertThat(nodes()).hasSize(1).allMatch(NodeName::isKept);
        endTime();

        contending(other, LockMode.READ).acquire();
        assertThat(nodes()).hasSize(1).allMatch(NodeName::isReader);
    }

    @Test
    void s13_aRepeatedReleaseFindsItsKeptLock() throws Exception {
        Grant held = withMinimum(one).acquire();
        keep(held, KEPT);
        String kept = nodes().get(0);

        keep(held, KEPT);
        release(held);

        assertThat(nodes()).containsExactly(kept);
    }

    @Test
    void s13_aHoldThatIsGoneKeepsNothing() throws Exception {
        Grant held = withMinimum(one).acquire();
        deleteNode(0);

        assertThat(held.keep(KEPT, TestContender.deadline())).isEqualTo(Grant.Release.GONE);

        assertThat(nodes()).isEmpty();
    }

    @Test
    void v6_aWaiterBehindAKeptLockAsksNothingBeforeItsTimeIsOver() throws Exception {
        keep(withMinimum(one).acquire(), KEPT);
        TestContender waiter = waitingBusy(other);

        link.silence();

        waiter.findBusy();
    }

    @Test
    void v6_theClientDeletesANodeWhoseTimeIsOver() throws Exception {
        keep(withMinimum(one).acquire(), Duration.ofMillis(1));

        await("the node is deleted", () -> nodes().isEmpty());
    }

    /** Too slow for a mutation run. */
    @Test
    @Tag("slow")
    void v6_theClientDeletesTheNodeIfNobodyAsks() throws Exception {
        keep(withMinimum(one).acquire(), SHORTLY);
        assertThat(nodes()).hasSize(1);

        await("the node is deleted", () -> nodes().isEmpty());
    }

    /** Too slow for a mutation run. */
    @Test
    @Tag("slow")
    void s13_curatorsMutexWaitsBehindTheNodeToo() throws Exception {
        try (CuratorFramework curator =
                CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100))) {
            curator.start();
            curator.blockUntilConnected();
            InterProcessMutex mutex = new InterProcessMutex(curator, directory);
            keep(withMinimum(one).acquire(), SHORTLY);

            assertThat(mutex.acquire(1, TimeUnit.MILLISECONDS)).isFalse();

            assertThat(mutex.acquire(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(nodes()).noneMatch(NodeName::isKept);
            mutex.release();
        }
    }

    @Test
    void api_noBaseNamesAKeptLock() throws Exception {
        Grant held = withMinimum(one).acquire();
        keep(held, KEPT);
        String node = directory + "/" + nodes().get(0);
        long czxid = SharedZooKeeper.operator().exists(node, false).getCzxid();

        for (long base : List.of(held.fencingBase(), czxid)) {
            assertThat(one.forceRelease("lock", OptionalLong.of(base), TestContender.deadline()))
                    .isEmpty();
        }

        assertThat(nodes()).hasSize(1).allMatch(NodeName::isKept);
    }

    @Test
    void api_theInspectorShowsTheLastHolderAndAForcedReleaseDeletesTheNode() throws Exception {
        keep(withMinimum(one).acquire(), KEPT);
        waitingBusy(other);

        LockStatus status = one.inspect("lock", TestContender.deadline());

        assertThat(status.holders()).isEmpty();
        assertThat(status.waiters()).hasSize(1);
        assertThat(status.kept().orElseThrow().owner()).isEqualTo(request().owner());
        assertThat(status.kept().orElseThrow().remaining()).isPositive().isLessThanOrEqualTo(KEPT.plusSeconds(1));
        assertThat(one.forceRelease("lock", OptionalLong.empty(), TestContender.deadline()))
                .isEmpty();
        assertThat(nodes()).hasSize(1).noneMatch(NodeName::isKept);
    }

    /** Answers requests for a kept node as servers that may have a time to live, or have none. */
    private record Creations(List<Duration> sent, Function<Duration, Optional<Unchecked>> server)
            implements KeptLock.Creation {
        @Override
        public Answer<Optional<Unchecked>> send(Duration ttl) {
            sent.add(ttl);
            Answer<Optional<Unchecked>> answer = new Answer<>("path", "right", () -> {}, () -> {});
            answer.complete(server.apply(ttl));
            return answer;
        }
    }

    private static Optional<Unchecked> refused(Code code) {
        return Optional.of(new Unchecked("path", code, "right"));
    }

    @Test
    void s13_aServerThatRemovesNoNodesIsAskedOnce() throws Exception {
        Session session = session(withMinimum(one).acquire());
        Creations creations =
                new Creations(new ArrayList<>(), ttl -> ttl.isZero() ? Optional.empty() : refused(Code.UNIMPLEMENTED));

        for (int i = 0; i < 2; i++) {
            assertThat(KeptLock.create(session, KEPT, TestContender.deadline(), creations))
                    .isEmpty();
        }

        assertThat(creations.sent).containsExactly(KEPT, Duration.ZERO, Duration.ZERO);
        Creations later = new Creations(new ArrayList<>(), ttl -> refused(Code.NONODE));
        assertThat(KeptLock.create(session, KEPT, TestContender.deadline(), later))
                .isEqualTo(refused(Code.NONODE));
    }

    @Test
    void s13_aServerThatMayRemoveNodesIsAskedForThatEachTime() throws Exception {
        Session session = session(withMinimum(one).acquire());
        Creations refusing = new Creations(new ArrayList<>(), ttl -> refused(Code.NONODE));
        Creations creating = new Creations(new ArrayList<>(), ttl -> Optional.empty());

        assertThat(KeptLock.create(session, KEPT, TestContender.deadline(), refusing))
                .isEqualTo(refused(Code.NONODE));
        assertThat(KeptLock.create(session, KEPT, TestContender.deadline(), creating))
                .isEmpty();

        assertThat(refusing.sent).containsExactly(KEPT);
        assertThat(creating.sent).containsExactly(KEPT);
    }
}
