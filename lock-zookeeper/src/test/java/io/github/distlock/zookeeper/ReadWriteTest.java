package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.util.List;
import java.util.OptionalLong;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.junit.jupiter.api.Test;

/** Readers and writers of one lock, without an engine. */
class ReadWriteTest extends ContendersOfOneLock {
    private static final LockMode READ = LockMode.READ;
    private static final LockMode WRITE = LockMode.WRITE;

    private static void awaitWakeUp(TestContender waiter) {
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);
    }

    @Test
    void s9_readersShareTheLockAndExcludeAWriter() throws Exception {
        contending(one, READ).acquire();
        contending(other, READ).acquire();
        contending(one, READ).acquire();

        contending(other, WRITE).findBusy();
    }

    @Test
    void s9_aWriterExcludesReadersAndWriters() throws Exception {
        contending(one, WRITE).acquire();

        contending(other, READ).findBusy();
        contending(other, WRITE).findBusy();
    }

    @Test
    void s9_aNodeOfAnotherProgramExcludesAReader() throws Exception {
        Grant held = contending(one, READ).acquire();
        SharedZooKeeper.operator()
                .create(directory + "/x__rlock__", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
        release(held);
        TestContender reader = busyOf(other, READ);

        deleteNode(0);
        awaitWakeUp(reader);

        reader.acquire();
    }

    @Test
    void v10_aReaderWaitsBehindAWriterThatWaits() throws Exception {
        Grant first = contending(one, READ).acquire();
        TestContender writer = busyOf(other, WRITE);
        TestContender reader = busyOf(one, READ);

        release(first);
        awaitWakeUp(writer);
        reader.findBusy();
        Grant written = writer.acquire();
        assertThat(reader.wakeUps).hasValue(0);
        release(written);
        awaitWakeUp(reader);

        reader.acquire();
    }

    @Test
    void v10_consecutiveReadersAreServedTogether() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        List<TestContender> readers = List.of(busyOf(one, READ), busyOf(other, READ), busyOf(other, READ));
        TestContender writer = busyOf(one, WRITE);

        release(written);
        readers.forEach(ReadWriteTest::awaitWakeUp);
        for (TestContender reader : readers) {
            reader.acquire();
        }

        assertThat(writer.wakeUps).hasValue(0);
        writer.findBusy();
    }

    @Test
    void v10_aReaderSleepsUntilTheLastWriterBeforeItGoes() throws Exception {
        Grant first = contending(one, WRITE).acquire();
        TestContender earlier = busyOf(one, READ);
        TestContender second = busyOf(one, WRITE);
        TestContender reader = busyOf(other, READ);

        release(first);
        awaitWakeUp(earlier);
        release(earlier.acquire());
        awaitWakeUp(second);
        Grant written = second.acquire();
        assertThat(reader.wakeUps).hasValue(0);
        release(written);
        awaitWakeUp(reader);

        reader.acquire();
    }

    @Test
    void v10_aReaderLooksAgainIfAWriterBeforeItGivesUp() throws Exception {
        contending(one, READ).acquire();
        TestContender writer = busyOf(one, WRITE);
        TestContender reader = busyOf(other, READ);

        writer.withdraw();
        awaitWakeUp(reader);

        reader.acquire();
    }

    @Test
    void v10_aWriterWaitsForAllReadersBeforeIt() throws Exception {
        Grant first = contending(one, READ).acquire();
        Grant second = contending(one, READ).acquire();
        TestContender writer = busyOf(other, WRITE);

        release(second);
        awaitWakeUp(writer);
        writer.findBusy();
        writer.wakeUps.set(0);
        release(first);
        awaitWakeUp(writer);

        writer.acquire();
    }

    @Test
    void v6_aReaderBehindReadersIsGrantedAtOnce() throws Exception {
        contending(one, READ).acquire();
        new TestContender(other, request().withMode(READ).withoutWaiting()).acquire();
        link.dropNextRequest(FaultProxy.containing("another"), FaultProxy.Then.CUT);

        new TestContender(other, request().withMode(READ).withoutWaiting()).acquire();

        assertThat(nodes()).hasSize(3);
    }

    @Test
    void v6_aSingleTryOfAReaderLeavesNothingBehindAWriter() throws Exception {
        contending(one, WRITE).acquire();
        TestContender first = new TestContender(other, request().withMode(READ).withoutWaiting());
        TestContender second = new TestContender(other, request().withMode(READ).withoutWaiting());

        first.findBusy();
        second.findBusy();

        assertThat(nodes()).hasSize(1);
    }

    @Test
    void s11_basesOfReadersAndWritersRise() throws Exception {
        Grant reader = contending(one, READ).acquire();
        Grant another = contending(other, READ).acquire();
        TestContender writer = busyOf(one, WRITE);
        release(reader);
        release(another);
        awaitWakeUp(writer);

        Grant written = writer.acquire();

        assertThat(another.fencingBase()).isGreaterThan(reader.fencingBase());
        assertThat(written.fencingBase()).isGreaterThan(another.fencingBase());
        release(written);
        assertThat(contending(other, READ).acquire().fencingBase()).isGreaterThan(written.fencingBase());
    }

    @Test
    void s2_aReaderIsProvedAgainAfterALongWait() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        TestContender reader = busyOf(other, READ);
        Waiting.letPass(ZooKeeperFactory.SESSION.multipliedBy(2).dividedBy(3));
        release(written);
        awaitWakeUp(reader);
        long before = System.nanoTime();

        Validity validity = reader.acquire().validity();

        assertThat(validity.from().nanoTime() - before).isPositive();
    }

    @Test
    void s5_aReaderHearsThatItsNodeWasDeleted() throws Exception {
        Grant first = contending(one, READ).acquire();
        TestContender reader = contending(other, READ);
        Grant held = reader.acquire();
        assertThat(reader.renew(held)).isInstanceOf(Validity.class);

        deleteNode(1);

        await("the watch reports it", () -> reader.timesGone.get() == 1);
        assertThat(reader.renew(held)).isEqualTo("gone");
        assertThat(held.release(deadline())).isEqualTo(Grant.Release.GONE);
        release(first);
    }

    @Test
    void v1_aReaderWhoseSessionEndsFreesTheLock() throws Exception {
        contending(other, READ).acquire();
        TestContender writer = busyOf(one, WRITE);

        other.close();
        awaitWakeUp(writer);

        writer.acquire();
    }

    @Test
    void v2_aHeartbeatFindsThatTheWriterHasGone() throws Exception {
        Grant written = contending(one, WRITE).acquire();
        TestContender reader = busyOf(other, READ);
        Fault lost = link.dropNextPush(FaultProxy.containing(nodes().get(0)));
        release(written);
        await("the event is lost", lost::hasStruck);

        Waiting.letPass(ZooKeeperFactory.SESSION.dividedBy(3));
        other.heartbeat(List.of(reader.contender), deadline());

        assertThat(reader.wakeUps).hasValue(1);
        reader.acquire();
    }

    @Test
    void s7_aWithdrawalRemovesTheNodeOfAReaderThatWasNotAnswered() throws Exception {
        release(contending(other, READ).acquire());
        Fault lost = link.dropNextReply(FaultProxy.containing("__READ__"), FaultProxy.Then.CUT);
        TestContender reader = contending(other, READ);
        try {
            reader.attempt();
        } catch (RuntimeException e) {
            // It fails, unless the reader looks at the queue, and finds its node, over the next connection.
        }
        assertThat(lost.hasStruck()).isTrue();
        await("the client has a new connection", () -> isConnected());

        reader.withdraw();

        assertThat(nodes()).isEmpty();
    }

    private boolean isConnected() {
        try {
            var unused = other.inspect("another", deadline());
            return true;
        } catch (RuntimeException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void s6_theInspectorShowsReadersAndWaiters() throws Exception {
        Grant first = contending(one, READ).acquire();
        Grant second = contending(other, READ).acquire();
        busyOf(one, WRITE);
        busyOf(one, READ);

        LockStatus status = other.inspect("lock", deadline());

        assertThat(status.holders()).extracting(LockStatus.Holder::mode).containsExactly(READ, READ);
        assertThat(status.holders())
                .extracting(holder -> holder.fencingToken() >> 8)
                .containsExactly(first.fencingBase(), second.fencingBase());
        assertThat(status.waiters()).extracting(LockStatus.Waiter::mode).containsExactly(WRITE, READ);
    }

    @Test
    void s5_aForcedReleaseEndsAllReadersAndNoWaiter() throws Exception {
        contending(one, READ).acquire();
        contending(other, READ).acquire();
        TestContender writer = busyOf(one, WRITE);
        busyOf(one, READ);

        List<LockStatus.Holder> ended = other.forceRelease("lock", OptionalLong.empty(), deadline());

        assertThat(ended).extracting(LockStatus.Holder::mode).containsExactly(READ, READ);
        assertThat(nodes()).hasSize(2);
        awaitWakeUp(writer);
        writer.acquire();
    }
}
