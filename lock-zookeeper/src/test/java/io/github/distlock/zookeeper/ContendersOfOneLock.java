package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;

/** Two backends without engines for one lock of a real server. The test can disturb the connection of the second. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ContendersOfOneLock {
    final String base = SharedZooKeeper.freshPath();
    final String directory = base + "/lock";
    final FaultProxy link = FaultProxy.to(SharedZooKeeper.server());
    final LockBackend one = backend(SharedZooKeeper.address());
    final LockBackend other = backend(link.address());

    private LockBackend backend(String address) {
        LockBackend made = new ZooKeeperFactory().backend(address, base.substring(1));
        made.start(new RecordingContext("test"));
        return made;
    }

    @AfterEach
    void close() {
        one.close();
        other.close();
        link.close();
    }

    static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, TestContender.PATIENCE, condition);
    }

    List<String> nodes() {
        return Sequence.inOrder(SharedZooKeeper.children(directory));
    }

    void deleteNode(int position) {
        SharedZooKeeper.delete(directory + "/" + nodes().get(position));
    }

    /** Returns the session that a hold has been acquired in. */
    static Session session(Grant held) throws InterruptedException {
        return ((Connection) held.server()).session(TestContender.deadline());
    }

    /** Makes a contender for a lock by its name. */
    static TestContender contender(LockBackend backend, String name) {
        return new TestContender(
                backend,
                LockRequest.exclusive(
                        name, ZooKeeperFactory.SESSION, TestContender.request().owner()));
    }

    /** Acquires the lock named "another", and returns the session. */
    static Session sessionWithAHold(LockBackend backend) throws InterruptedException {
        return session(contender(backend, "another").acquire());
    }

    static PredecessorWatch watch(TestContender waiter) {
        return requireNonNull(((ZooKeeperContender) waiter.contender).watch());
    }

    static LockDirectory directory(Grant held, String path) {
        return new LockDirectory((Connection) held.server(), LockPaths.element(path), path);
    }

    static void release(Grant held) throws InterruptedException {
        assertThat(held.release(TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
    }
}
