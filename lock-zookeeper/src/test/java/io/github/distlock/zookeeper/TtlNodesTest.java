package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Kept locks on a server that allows nodes with a time to live. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class TtlNodesTest {
    /** Longer than a busy machine takes to look at the lock. */
    private static final Duration KEPT = Duration.ofSeconds(10);

    private static List<String> nodes(ZooKeeperServer server) {
        return SharedZooKeeper.asked(server, operator -> SharedZooKeeper.children(operator, "/kept/lock"));
    }

    @Test
    void v6_theServerRemovesAKeptLockThatNobodyAsksFor() throws Exception {
        try (ZooKeeperServer server = SharedZooKeeper.startWithTtlNodes()) {
            LockBackend backend = new ZooKeeperFactory().backend(server.address(), "kept");
            backend.start(new RecordingContext("test"));
            Grant held = new TestContender(backend, request().withMinimumHold(KEPT)).acquire();

            assertThat(held.keep(KEPT, TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
            backend.close();

            assertThat(nodes(server)).hasSize(1).allMatch(NodeName::isKept);
            Waiting.await(
                    "the server removes the node",
                    Duration.ofSeconds(60),
                    () -> nodes(server).isEmpty());
        }
    }
}
