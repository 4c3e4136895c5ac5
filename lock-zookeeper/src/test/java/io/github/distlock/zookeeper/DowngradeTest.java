package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.FutureTask;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.Test;

/** Writers that become readers, without an engine. */
class DowngradeTest extends ContendersOfOneLock {
    private static final LockMode READ = LockMode.READ;
    private static final LockMode WRITE = LockMode.WRITE;

    private static void awaitWakeUp(TestContender waiter) {
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
    }

    @CanIgnoreReturnValue
    private static Grant downgrade(Grant held) throws InterruptedException {
        return held.downgrade(deadline()).orElseThrow();
    }

    private void awaitNewConnection() {
        await("the client has a new connection", () -> {
            try {
                var unused = other.inspect("another", deadline());
                return true;
            } catch (RuntimeException e) {
                return false;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void s9_theReadersNodeTakesThePlaceOfTheWritersNode() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        String writer = nodes().get(0);

        downgrade(written);

        assertThat(nodes()).containsExactly(writer.replace("__WRIT__", "__READ__"));
    }

    @Test
    void s9_noWriterGetsInBetweenAndReadersAreServed() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        TestContender reader = busyOf(other, READ);
        TestContender writer = busyOf(one, WRITE);

        Grant reading = downgrade(written);

        awaitWakeUp(reader);
        Grant another = reader.acquire();
        writer.findBusy();
        release(another);
        awaitWakeUp(writer);
        writer.findBusy();
        writer.wakeUps.set(0);
        release(reading);
        awaitWakeUp(writer);
        writer.acquire();
    }

    @Test
    void s9_aWriterThatWatchedTheWriterWaitsForTheReader() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        TestContender writer = busyOf(other, WRITE);

        Grant reading = downgrade(written);
        awaitWakeUp(writer);
        writer.findBusy();
        writer.findBusy();
        writer.wakeUps.set(0);
        release(reading);
        awaitWakeUp(writer);

        writer.acquire();
    }

    @Test
    void s9_aSlowDowngradeLeavesNoGap() throws Exception {
        Grant written = contending(other, WRITE).acquire();
        TestContender writer = busyOf(one, WRITE);
        link.delayNextRequest(FaultProxy.containing("__READ__"), Duration.ofSeconds(2));
        FutureTask<Grant> downgrade = new FutureTask<>(() -> downgrade(written));

        new Thread(downgrade).start();
        awaitWakeUp(writer);
        writer.findBusy();

        release(downgrade.get());
    }

    @Test
    void s11_theReaderKeepsTheFencingBaseOfTheWriter() throws Exception {
        Grant written = contending(one, WRITE).acquire();

        Grant reading = downgrade(written);

        assertThat(reading.fencingBase()).isEqualTo(written.fencingBase());
        LockStatus.Holder seen = other.inspect("lock", deadline()).holders().get(0);
        assertThat(seen.mode()).isEqualTo(READ);
        assertThat(seen.fencingToken() >> 8).isEqualTo(written.fencingBase());
        assertThat(seen.owner()).isEqualTo(request().owner());
        release(reading);
        assertThat(contending(other, WRITE).acquire().fencingBase()).isGreaterThan(written.fencingBase());
    }

    @Test
    void s9_aRepeatedDowngradeFindsItsNode() throws Exception {
        Grant written = contending(other, WRITE).acquire();
        loseReply(written);

        Grant reading = downgrade(written);

        assertThat(nodes()).singleElement().asString().contains("__READ__");
        assertThat(reading.fencingBase()).isEqualTo(written.fencingBase());
        release(reading);
        assertThat(nodes()).isEmpty();
    }

    @Test
    void s9_aDowngradeThatDidNotArriveIsRepeated() throws Exception {
        Grant written = contending(other, WRITE).acquire();
        loseRequest(written);

        downgrade(written);

        assertThat(nodes()).singleElement().asString().contains("__READ__");
    }

    @Test
    void s7_aReleaseAfterAnUnansweredDowngradeEndsTheHoldInEitherMode() throws Exception {
        Grant written = contending(other, WRITE).acquire();
        loseReply(written);

        release(written);

        assertThat(nodes()).isEmpty();
    }

    @Test
    void s7_aReleaseAfterADowngradeThatDidNotArriveEndsTheHold() throws Exception {
        Grant written = contending(other, WRITE).acquire();
        loseRequest(written);

        release(written);

        assertThat(nodes()).isEmpty();
    }

    private void loseReply(Grant written) {
        link.dropNextReply(FaultProxy.containing("__READ__"), FaultProxy.Then.CUT);
        assertThatThrownBy(() -> downgrade(written)).isInstanceOf(RuntimeException.class);
        awaitNewConnection();
    }

    private void loseRequest(Grant written) {
        link.dropNextRequest(FaultProxy.containing("__READ__"), FaultProxy.Then.CUT);
        assertThatThrownBy(() -> downgrade(written)).isInstanceOf(RuntimeException.class);
        awaitNewConnection();
    }

    @Test
    void s5_aDowngradeOfAHoldThatWasDeletedCreatesNothing() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        deleteNode(0);

        assertThat(written.downgrade(deadline())).isEmpty();

        assertThat(nodes()).isEmpty();
        assertThat(written.release(deadline())).isEqualTo(Grant.Release.GONE);
    }

    @Test
    void s5_aDowngradeInAnotherSessionCreatesNothing() throws Exception {
        try (CuratorFramework curator =
                        CuratorFrameworkFactory.newClient(SharedZooKeeper.address(), new RetryOneTime(100));
                LockBackend supplied =
                        ZooKeeperBackend.builder(curator).basePath(base).build()) {
            curator.start();
            supplied.start(new RecordingContext("test"));
            Grant written = contending(supplied, WRITE).acquire();
            curator.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
            new TestContender(
                            supplied,
                            LockRequest.exclusive(
                                    "another",
                                    ZooKeeperFactory.SESSION,
                                    request().owner()))
                    .acquire();

            assertThat(written.downgrade(deadline())).isEmpty();

            assertThat(nodes()).noneMatch(node -> node.contains("__READ__"));
        }
    }

    @Test
    void s6_theEndOfTheWritersNodeIsNoLossButTheEndOfTheReadersNodeIs() throws Exception {
        TestContender contender = contending(other, WRITE);
        Grant written = contender.acquire();
        assertThat(contender.renew(written)).isInstanceOf(Validity.class);

        Grant reading = downgrade(written);
        assertThat(contender.renew(reading)).isInstanceOf(Validity.class);
        assertThat(contender.renew(reading)).isInstanceOf(Validity.class);
        assertThat(contender.timesGone).hasValue(0);
        deleteNode(0);

        await("the watch reports it", () -> contender.timesGone.get() == 1);
        assertThat(contender.renew(reading)).isEqualTo("gone");
    }

    @Test
    void s6_theReaderIsInDoubtWhileItsConnectionIsBroken() throws Exception {
        TestContender contender = contending(other, WRITE);
        downgrade(contender.acquire());

        link.cut();

        await("it is in doubt", () -> contender.timesSuspect.get() > 0);
    }

    @Test
    void v6_nothingStaysForAReaderThatTheEngineForgets() throws Exception {
        TestContender contender = contending(other, WRITE);
        Grant reading = downgrade(contender.acquire());
        assertThat(contender.renew(reading)).isInstanceOf(Validity.class);
        WeakReference<TestContender> reference = new WeakReference<>(contender);

        contender.contender.forget();
        contender = null;
        reading = null;

        await("the backend has forgotten it", () -> {
            System.gc();
            return reference.refersTo(null);
        });
    }
}
