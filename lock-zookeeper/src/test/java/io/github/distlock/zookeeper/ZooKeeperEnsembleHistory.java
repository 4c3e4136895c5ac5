package io.github.distlock.zookeeper;

import io.github.distlock.tests.history.Coverage;
import io.github.distlock.tests.history.HistoryLength;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.ZooKeeperEnsemble;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Histories of ZooKeeper locks on three servers obey the promises while the leader is killed again and again. {@code
 * .ci/extended} runs them. All faults of servers strike the leader, also pauses, after which a former leader continues.
 */
@Tag("histories")
class ZooKeeperEnsembleHistory {
    /**
     * Each election restarts the timeouts of all sessions. So some of the times between two kills must be longer than a
     * session timeout: otherwise the locks of killed processes stay blocked.
     */
    private static final Duration KILLS = Duration.ofSeconds(6);

    @Test
    void historiesObeyThePromisesWhileTheLeaderIsKilledAgainAndAgain() throws InterruptedException {
        try (ZooKeeperEnsemble ensemble = SharedZooKeeper.startEnsemble();
                ZooKeeperFixture store = new ZooKeeperFixture(ensemble)) {
            HistoryLength.run(
                    "ZooKeeper history on three servers",
                    HistoryRun.over(store)
                            .striking(ensemble::leader)
                            .kills(KILLS)
                            .lostReplies(Duration.ofMillis(400)),
                    new Coverage(5_000, 100, 300, 10));
        }
    }
}
