package io.github.distlock.zookeeper;

import io.github.distlock.tests.history.Coverage;
import io.github.distlock.tests.history.HistoryLength;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.ZooKeeperServer;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Histories of ZooKeeper locks under faults in processes, connections and server obey the promises. */
@Tag("histories")
class ZooKeeperHistoryTest {
    @Test
    void historiesObeyThePromises() throws InterruptedException {
        try (ZooKeeperServer server = SharedZooKeeper.startAnother();
                ZooKeeperFixture store = new ZooKeeperFixture(server)) {
            HistoryLength.run(
                    "ZooKeeper history",
                    HistoryRun.over(store).lostReplies(Duration.ofMillis(400)),
                    new Coverage(20_000, 150, 1_000, 50));
        }
    }
}
