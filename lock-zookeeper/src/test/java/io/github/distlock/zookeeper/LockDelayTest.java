package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Grant.Release;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** S15: the companion of a holder's node, what becomes of it, and the contenders behind it. */
class LockDelayTest extends ContendersOfOneLock {
    private static final Duration DELAY = Duration.ofMinutes(1);
    private static final Duration AT_ONCE = Duration.ofMillis(1);
    private static final Duration BRIEFLY = Duration.ofMillis(500);
    /** Longer than a busy machine takes to look at the lock. */
    private static final Duration SHORTLY = Duration.ofSeconds(4);

    private final ZooKeeper operator = SharedZooKeeper.operator();

    private static TestContender delayed(LockBackend backend) {
        return delayed(backend, DELAY);
    }

    private static TestContender delayed(LockBackend backend, Duration delay) {
        return new TestContender(backend, request().withLockDelay(delay));
    }

    private static TestContender trying(LockBackend backend) {
        return new TestContender(backend, request().withoutWaiting());
    }

    private void awaitNewConnection() {
        await("the client has a new connection", () -> {
            try {
                var unused = other.inspect("another", TestContender.deadline());
                return true;
            } catch (RuntimeException e) {
                return false;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private String node(String kind) {
        return nodes().stream().filter(name -> name.contains(kind)).findFirst().orElseThrow();
    }

    private void delete(String kind) {
        SharedZooKeeper.delete(directory + "/" + node(kind));
    }

    private String data(String kind) throws Exception {
        return new String(operator.getData(directory + "/" + node(kind), false, null), StandardCharsets.UTF_8);
    }

    /** Shortens the time of the kept lock to a millisecond, and waits for its end. */
    private void endTime() throws Exception {
        byte[] over = data("-kept-").replaceAll("kept=\\d+", "kept=1").getBytes(StandardCharsets.UTF_8);
        operator.setData(directory + "/" + node("-kept-"), over, -1);
        Waiting.letPass(Duration.ofMillis(5));
    }

    /** Ends the holder's session, and waits for the servers. */
    private void endSession() {
        one.close();
        await("the holder's node is gone", () -> nodes().stream().noneMatch(NodeName::isDelayed));
    }

    private void expectKeptOnly() {
        assertThat(nodes()).hasSize(1).allMatch(NodeName::isKept);
    }

    @Test
    void s15_aPersistentCompanionHasTheNumberOfTheHoldersNode() throws Exception {
        delayed(one).acquire();

        String holder = node("-delay-lock-");
        assertThat(nodes()).containsExactlyInAnyOrder(holder, holder.replace("-delay-lock-", "-kept-lock-"));
        Stat companion = operator.exists(directory + "/" + node("-kept-lock-"), false);
        assertThat(companion.getEphemeralOwner()).isZero();
        assertThat(data("-kept-")).contains("\ndelay=60000\n").doesNotContain("kept=");
        trying(other).findBusy();
        delayed(other).findBusy();
        assertThat(operator.exists(directory + "/" + node("-kept-lock-"), false).getMzxid())
                .isEqualTo(companion.getMzxid());
    }

    @Test
    void s15_aReleaseDeletesBothNodesAndMayBeRepeated() throws Exception {
        Grant held = delayed(one).acquire();

        release(held);

        assertThat(nodes()).isEmpty();
        release(held);
        trying(other).acquire();
    }

    @Test
    void s15_aReleaseWakesTheWaiterWhichLooksAndAcquires() throws Exception {
        Grant held = delayed(one).acquire();
        TestContender waiter = waitingBusy(other);

        release(held);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        waiter.acquire();
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void s15_theNextContenderBeginsTheDelayOfALostSession() throws Exception {
        delayed(one).acquire();
        endSession();
        expectKeptOnly();

        trying(other).findBusy();

        expectKeptOnly();
        assertThat(data("-kept-")).contains("kept=60000\n").doesNotContain("delay=");
        long begun = operator.exists(directory + "/" + node("-kept-"), false).getCzxid();
        trying(other).findBusy();
        assertThat(operator.exists(directory + "/" + node("-kept-"), false).getCzxid())
                .as("it begins once")
                .isEqualTo(begun);
        endTime();
        release(trying(other).acquire());
        assertThat(nodes()).isEmpty();
    }

    @Test
    void s1_theEndOfALostHoldersNodeIsNoGrantForTheWaiter() throws Exception {
        delayed(one).acquire();
        TestContender waiter = waitingBusy(other);

        endSession();
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        waiter.findBusy();
        assertThat(nodes()).hasSize(2);
        assertThat(data("-kept-")).contains("kept=60000\n");
    }

    @Test
    void s15_theWaiterIsGrantedTheLockWhenTheDelayIsOverAndDeletesTheNode() throws Exception {
        delayed(one, BRIEFLY).acquire();
        TestContender waiter = waitingBusy(other);
        endSession();
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
        long begun = System.nanoTime();

        Attempt answer = waiter.attempt();
        while (answer instanceof Attempt.Busy busy) {
            assertThat(busy.retryAfter()).isLessThanOrEqualTo(BRIEFLY);
            Waiting.letPass(busy.retryAfter());
            answer = waiter.attempt();
        }

        assertThat(answer).isInstanceOf(Attempt.Granted.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(BRIEFLY.minusMillis(2));
        assertThat(nodes()).hasSize(1).noneMatch(NodeName::isKept);
    }

    @Test
    void s15_aLossThatTheClientReportsReplacesBothNodes() throws Exception {
        Grant held = delayed(one).acquire();
        String companion = node("-kept-");

        assertThat(held.keep(DELAY.dividedBy(2), TestContender.deadline())).isEqualTo(Release.RELEASED);

        assertThat(nodes()).containsExactly(companion);
        assertThat(data("-kept-")).contains("kept=30000\n").doesNotContain("delay=");
        assertThat(held.keep(DELAY, TestContender.deadline())).isEqualTo(Release.RELEASED);
        assertThat(data("-kept-")).contains("kept=30000\n");
    }

    @Test
    void s15_whatALostHolderSendsLeavesTheCompanion() throws Exception {
        Grant released = delayed(one).acquire();
        delete("-delay-lock-");

        assertThat(released.release(TestContender.deadline())).isEqualTo(Release.GONE);
        expectKeptOnly();
        assertThat(data("-kept-")).contains("delay=60000\n");

        delete("-kept-");
        Grant kept = delayed(one).acquire();
        delete("-delay-lock-");

        assertThat(kept.keep(DELAY, TestContender.deadline())).isEqualTo(Release.GONE);
        expectKeptOnly();
        assertThat(data("-kept-")).contains("delay=60000\n");
    }

    @Test
    void s5_aHoldWhoseCompanionAnotherProgramHasDeletedEndsAsAnyOther() throws Exception {
        Grant released = delayed(one).acquire();
        delete("-kept-");

        release(released);

        assertThat(nodes()).isEmpty();
        Grant kept = delayed(one).acquire();
        delete("-kept-");

        assertThat(kept.keep(DELAY, TestContender.deadline())).isEqualTo(Release.RELEASED);

        expectKeptOnly();
        assertThat(data("-kept-")).contains("kept=60000\n");
    }

    @Test
    void s7_aWithdrawalLeavesNoCompanion() throws Exception {
        TestContender contender = delayed(one);
        contender.acquire();

        contender.withdraw();

        assertThat(nodes()).isEmpty();
    }

    @Test
    void s7_aCompanionWhoseCreationIsNotAnsweredIsFoundAgain() throws Exception {
        TestContender contender = delayed(other);
        trying(other).acquire();
        Fault lost = link.dropNextReply(FaultProxy.containing("-kept-lock-"), FaultProxy.Then.CUT);
        deleteNode(0);

        assertThatThrownBy(contender::attempt).isInstanceOf(RuntimeException.class);
        assertThat(lost.hasStruck()).isTrue();
        awaitNewConnection();
        Grant held = contender.acquire();

        assertThat(nodes()).hasSize(2);
        release(held);
        assertThat(nodes()).isEmpty();
    }

    @Test
    void v6_theClientDeletesTheCompanionOfALossThatItsReleaseFinds() throws Exception {
        Grant held = delayed(one, AT_ONCE).acquire();
        delete("-delay-lock-");

        assertThat(held.release(TestContender.deadline())).isEqualTo(Release.GONE);

        await("the companion is deleted", () -> nodes().isEmpty());
    }

    @Test
    void v6_theClientDeletesTheCompanionOfALossThatItFindsTooLate() throws Exception {
        Grant held = delayed(one).acquire();
        delete("-delay-lock-");

        assertThat(held.keep(AT_ONCE, TestContender.deadline())).isEqualTo(Release.GONE);

        await("the companion is deleted", () -> nodes().isEmpty());
    }

    @Test
    void v6_theClientDeletesTheCompanionOfALostHoldThatIsForgotten() throws Exception {
        TestContender holder = delayed(one, AT_ONCE);
        holder.acquire();
        delete("-delay-lock-");

        holder.contender.forget();

        await("the companion is deleted", () -> nodes().isEmpty());
    }

    /** Too slow for a mutation run. */
    @Test
    @Tag("slow")
    void v6_theClientDeletesTheCompanionOfALostHoldIfNobodyAsks() throws Exception {
        TestContender holder = delayed(one, SHORTLY);
        holder.acquire();
        delete("-delay-lock-");

        holder.contender.forget();

        expectKeptOnly();
        await("the companion is deleted", () -> nodes().isEmpty());
    }

    @Test
    void s15_curatorsMutexWaitsBehindTheCompanion() throws Exception {
        try (CuratorFramework curator = startCurator()) {
            InterProcessMutex mutex = new InterProcessMutex(curator, directory);
            Grant held = delayed(one).acquire();
            assertThat(mutex.acquire(1, TimeUnit.MILLISECONDS)).isFalse();
            delete("-delay-lock-");

            assertThat(mutex.acquire(1, TimeUnit.MILLISECONDS)).isFalse();

            assertThat(held.release(TestContender.deadline())).isEqualTo(Release.GONE);
            delete("-kept-");
            assertThat(mutex.acquire(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            mutex.release();
        }
    }

    private static CuratorFramework startCurator() throws InterruptedException {
        CuratorFramework curator = CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
        curator.start();
        curator.blockUntilConnected();
        return curator;
    }

    /** Acquires Curator's mutex on a thread of its own, and holds it. Completes with the time of the acquire. */
    private CompletableFuture<Long> acquire(CuratorFramework curator) {
        CompletableFuture<Long> acquired = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                new InterProcessMutex(curator, directory).acquire();
                acquired.complete(System.nanoTime());
            } catch (Exception e) {
                acquired.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return acquired;
    }

    @Test
    void s15_aWaiterBehindCuratorsWaiterBeginsTheDelayAndEndsIt() throws Exception {
        try (CuratorFramework curator = startCurator()) {
            delayed(one, BRIEFLY).acquire();
            CompletableFuture<Long> second = acquire(curator);
            await("Curator's waiter has a node", () -> nodes().size() == 3);
            TestContender third = waitingBusy(other);
            long lostAt = System.nanoTime();

            endSession();
            await("Curator's waiter acquires", () -> {
                heartbeat(third);
                return second.isDone();
            });

            assertThat(Duration.ofNanos(second.get() - lostAt)).isGreaterThanOrEqualTo(BRIEFLY.minusMillis(2));
        }
    }

    /** Does what the engine does with a waiter now and then. */
    private void heartbeat(TestContender waiter) {
        try {
            other.heartbeat(List.of(waiter.contender), TestContender.deadline());
            waiter.findBusy();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void s15_aHeartbeatWakesAWaiterBehindCuratorsWaiterIfTheHolderIsLost() throws Exception {
        try (CuratorFramework curator = startCurator()) {
            delayed(one).acquire();
            CompletableFuture<Long> second = acquire(curator);
            await("Curator's waiter has a node", () -> nodes().size() == 3);
            TestContender third = waitingBusy(other);
            TestContender fourth = waitingBusy(other);
            endSession();
            Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));

            other.heartbeat(List.of(third.contender, fourth.contender), TestContender.deadline());

            assertThat(third.wakeUps).hasValue(1);
            assertThat(fourth.wakeUps).as("behind one of this library").hasValue(0);
            third.findBusy();
            assertThat(data("-kept-")).contains("kept=60000\n");
            assertThat(second).isNotDone();
            Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));
            other.heartbeat(List.of(third.contender), TestContender.deadline());
            assertThat(third.wakeUps).as("it knows the kept lock").hasValue(1);
            delete("-kept-");
            assertThat(second.get(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isPositive();
        }
    }

    @Test
    void s15_aTryBehindCuratorsWaiterBeginsTheDelay() throws Exception {
        try (CuratorFramework curator = startCurator()) {
            delayed(one).acquire();
            CompletableFuture<Long> second = acquire(curator);
            await("Curator's waiter has a node", () -> nodes().size() == 3);
            trying(other).findBusy();
            endSession();

            trying(other).findBusy();

            assertThat(data("-kept-")).contains("kept=60000\n");
            assertThat(nodes()).hasSize(2);
            delete("-kept-");
            assertThat(second.get(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isPositive();
        }
    }

    @Test
    void s15_aReleaseTogetherWithOthersDeletesBothNodes() throws Exception {
        Grant held = delayed(one).acquire();
        Grant another = new TestContender(
                        one,
                        LockRequest.exclusive(
                                "another", ZooKeeperFactory.SESSION, request().owner()))
                .acquire();

        assertThat(one.releaseAll(List.of(held, another), TestContender.deadline()))
                .containsOnly(entry(held, Release.RELEASED), entry(another, Release.RELEASED));

        assertThat(nodes()).isEmpty();
        Grant lost = delayed(one).acquire();
        delete("-delay-lock-");
        assertThat(one.releaseAll(List.of(lost), TestContender.deadline())).containsOnly(entry(lost, Release.GONE));
        expectKeptOnly();
    }

    @Test
    void s15_aReleaseThatIsSentAgainTellsALossFromItsSuccess() throws Exception {
        Requests requests = new Requests(
                operator,
                new SessionValidity(ZooKeeperFactory.SESSION, new ServerTick(SharedZooKeeper.TICK), null),
                new TransactionNumbers(new AtomicLong(), new RecordingContext("operator")),
                LockClock.system());
        delayed(one).acquire();
        var release = requests.endBoth(directory + "/" + node("-delay-lock-"), directory + "/" + node("-kept-lock-"));

        delete("-delay-lock-");
        assertThat(release.callAgain()).as("the hold was lost").isPresent();
        expectKeptOnly();

        delete("-kept-lock-");
        assertThat(release.callAgain()).as("an earlier request has done it").isEmpty();
    }

    @Test
    void v12_aRequestForReleaseIsForNoHoldThatWasLost() throws Exception {
        delayed(one).acquire();
        assertThat(other.requestRelease("lock", request().owner(), TestContender.deadline()))
                .isOne();
        endSession();

        assertThat(other.requestRelease("lock", request().owner(), TestContender.deadline()))
                .isZero();
        trying(other).findBusy();
        assertThat(data("-kept-")).contains("kept=60000\n");
        assertThat(other.requestRelease("lock", request().owner(), TestContender.deadline()))
                .isZero();
    }

    @Test
    void s3_aHoldWithACompanionGetsNoOtherBase() throws Exception {
        Grant held = delayed(one).acquire();

        assertThat(held.nextBase(TestContender.deadline())).isEmpty();
    }

    @Test
    void api_theInspectorShowsTheHolderAndThenAKeptLock() throws Exception {
        delayed(one).acquire();
        waitingBusy(other);

        LockStatus status = other.inspect("lock", TestContender.deadline());
        endSession();
        LockStatus lost = other.inspect("lock", TestContender.deadline());

        assertThat(status.holders()).hasSize(1);
        assertThat(status.waiters()).hasSize(1);
        assertThat(status.kept()).isEmpty();
        assertThat(lost.holders()).isEmpty();
        assertThat(lost.waiters()).hasSize(1);
        assertThat(lost.kept().orElseThrow().owner()).isEqualTo(request().owner());
        assertThat(lost.kept().orElseThrow().remaining()).isEqualTo(DELAY);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-delay-lock-", "-kept-"})
    void s15_aWithdrawalEndsTheDelay(String gone) throws Exception {
        TestContender contender = delayed(one);
        contender.acquire();
        delete(gone);

        contender.withdraw();

        assertThat(nodes()).isEmpty();
    }

    @Test
    void api_aForcedReleaseDeletesBothNodes() throws Exception {
        for (boolean byToken : new boolean[] {false, true}) {
            Grant held = delayed(one).acquire();
            OptionalLong base = byToken ? OptionalLong.of(held.fencingBase()) : OptionalLong.empty();

            assertThat(other.forceRelease("lock", base, TestContender.deadline()))
                    .hasSize(1);

            assertThat(nodes()).isEmpty();
        }
    }

    @Test
    void api_aForcedReleaseEndsALockDelayAndNoTokenNamesIt() throws Exception {
        Grant held = delayed(one).acquire();
        delete("-delay-lock-");
        long czxid = operator.exists(directory + "/" + node("-kept-"), false).getCzxid();

        Stream.of(held.fencingBase(), czxid)
                .forEach(base -> assertThat(forceRelease(OptionalLong.of(base))).isZero());
        expectKeptOnly();

        assertThat(forceRelease(OptionalLong.empty())).isZero();
        assertThat(nodes()).isEmpty();
    }

    private int forceRelease(OptionalLong base) {
        try {
            return other.forceRelease("lock", base, TestContender.deadline()).size();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
