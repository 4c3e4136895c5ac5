package io.github.distlock.zookeeper;

import static io.github.distlock.tests.servers.FaultProxy.containing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LossReason;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Network faults between one client and its server. */
@Order(1)
@Timeout(60)
@ResourceLock("starts servers and processes")
class ZooKeeperFaultsTest {
    private static final Duration SESSION = Duration.ofSeconds(6);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String base = SharedZooKeeper.freshPath();
    private final String directory = base + "/lock";
    private final FaultProxy proxy = FaultProxy.to(SharedZooKeeper.server());
    private final LockClient locks = client(proxy.address());
    private final LockClient others = client(SharedZooKeeper.address());

    private LockClient client(String address) {
        return LockClient.builder(ZooKeeperBackend.builder(address)
                        .basePath(base)
                        .sessionTimeout(SESSION)
                        .tick(SharedZooKeeper.TICK)
                        .build())
                .shutdownTimeout(Duration.ZERO)
                .build();
    }

    @AfterEach
    void close() {
        proxy.heal();
        locks.close();
        others.close();
        proxy.close();
    }

    @Test
    void s7_theClientFindsItsNodeIfTheReplyToItsCreationIsLost() throws Exception {
        locks.lock("other").acquire().close();
        Fault lost = proxy.dropNextReply(containing("-lock-"), FaultProxy.Then.CUT);
        LockHandle held = locks.lock("lock").acquire();
        assertTrue(lost.hasStruck());
        List<String> nodes = SharedZooKeeper.children(directory);
        assertEquals(1, nodes.size(), nodes.toString());
        long czxid = SharedZooKeeper.operator()
                .exists(directory + "/" + nodes.get(0), false)
                .getCzxid();
        assertEquals(czxid, held.fencingToken() >> 8);
        assertEquals(LockHandle.Release.RELEASED, held.release());
        assertEquals(List.of(), SharedZooKeeper.children(directory));
    }

    @Test
    void s7_theClientRepeatsACreationWhoseRequestIsLost() throws Exception {
        locks.lock("lock").acquire().close();
        Fault lost = proxy.dropNextRequest(containing("-lock-"), FaultProxy.Then.CUT);
        LockHandle held = locks.lock("lock").acquire();
        assertTrue(lost.hasStruck());
        assertEquals(1, SharedZooKeeper.children(directory).size());
        held.close();
    }

    @Test
    void s7_aTryWhoseReplyIsLostLeavesNothing() throws Exception {
        locks.lock("lock").acquire().close();
        Fault lost = proxy.dropNextReply(containing("-lock-"), FaultProxy.Then.CUT);
        try {
            locks.lock("lock").tryAcquire().ifPresent(LockHandle::close);
        } catch (LockException e) {
            // A try may return a hold or fail.
        }
        Waiting.await("the reply is lost", PATIENCE, lost::hasStruck);
        awaitNodes(0);
    }

    @Test
    void s7_theClientRepeatsAReleaseWhoseReplyIsLost() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        Fault lost = proxy.dropNextReply(containing("-lock-"), FaultProxy.Then.CUT);
        LockHandle.Release outcome = held.release();
        Waiting.await("the reply is lost", PATIENCE, lost::hasStruck);
        assertTrue(outcome != LockHandle.Release.LOST, outcome.toString());
        awaitNodes(0);
    }

    private void awaitNodes(int count) {
        Waiting.await(
                count + " nodes",
                SESSION.multipliedBy(2),
                () -> SharedZooKeeper.children(directory).size() == count);
    }

    @Test
    void v8_aHoldOutlivesCutConnections() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        for (int i = 0; i < 3; i++) {
            proxy.cut();
            Waiting.letPass(Duration.ofMillis(1500));
            assertTrue(held.isHeld());
        }
        Waiting.await("the hold is not suspect", SESSION, () -> held.state() == LockHandle.State.HELD);
        assertEquals(LockHandle.Release.RELEASED, held.release());
    }

    @Test
    void v2_aWaiterWhoseConnectionIsCutDuringTheReleaseAcquiresTheLock() throws Exception {
        LockHandle held = others.lock("lock").acquire();
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();
        awaitNodes(2);
        proxy.refuse();
        proxy.cut();
        held.close();
        proxy.heal();
        waiter.get(SESSION.toSeconds(), TimeUnit.SECONDS).close();
    }

    @Test
    void s6_anExpiredSessionEndsItsHoldsAndTheClientCanAcquireAgain() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        List<LockLoss> losses = new CopyOnWriteArrayList<>();
        held.onLost(losses::add);
        proxy.silence();
        LockHandle next = others.lock("lock").acquire();
        assertFalse(held.isHeld());
        assertTrue(next.fencingToken() > held.fencingToken());
        proxy.heal();
        Waiting.await("the loss is reported", SESSION, () -> !losses.isEmpty());
        next.close();
        LockHandle again = locks.lock("lock").acquire();
        assertTrue(again.fencingToken() > next.fencingToken());
        again.close();
    }

    @Test
    void s7_aWaiterWhoseSessionExpiresHasExactlyOneNewQueueEntry() throws Exception {
        LockHandle held = others.lock("lock").acquire();
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();
        awaitNodes(2);
        proxy.silence();
        awaitNodes(1);
        proxy.heal();
        awaitNodes(2);
        Waiting.letPass(Duration.ofMillis(1500));
        assertEquals(2, SharedZooKeeper.children(directory).size());
        held.close();
        waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
        assertEquals(List.of(), SharedZooKeeper.children(directory));
    }

    @Test
    void v8_theLossOfADeletedNodeIsReportedWithinASecond() throws Exception {
        LockHandle held = locks.lock("lock").acquire();
        for (int i = 0; i < 2; i++) {
            LockHandle watched = i == 0 ? held : locks.lock("lock").acquire();
            List<LockLoss> losses = new CopyOnWriteArrayList<>();
            watched.onLost(losses::add);
            Waiting.letPass(Duration.ofMillis(i == 0 ? 1500 : 1));
            SharedZooKeeper.deleteFirst(directory);
            Waiting.await("the loss is reported", Duration.ofMillis(1500), () -> !losses.isEmpty());
            assertEquals(LossReason.GONE, losses.get(0).reason());
        }
    }

    @Test
    void s7_aWaiterReplacesADeletedQueueEntry() throws Exception {
        LockHandle held = others.lock("lock").acquire();
        String first = SharedZooKeeper.children(directory).get(0);
        CompletableFuture<LockHandle> waiter = locks.lock("lock").acquireAsync();
        awaitNodes(2);
        for (String child : SharedZooKeeper.children(directory)) {
            if (!child.equals(first)) {
                SharedZooKeeper.delete(directory + "/" + child);
            }
        }
        awaitNodes(2);
        held.close();
        waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
    }
}
