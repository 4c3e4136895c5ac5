package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.github.distlock.tests.history.Coverage;
import io.github.distlock.tests.history.HistoryLength;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Clients of this revision and of the first revision with the same wire format obey the promises together. This test
 * does not run by default. {@code .ci/extended upgrade} builds the other revision, and passes its class path in
 * {@code lock.upgrade.classpath}.
 */
class RollingUpgrade {
    private static final Duration LEASE = Duration.ofSeconds(1);

    @Test
    void clientsOfTwoRevisionsObeyThePromises() throws InterruptedException {
        String other = System.getProperty("lock.upgrade.classpath");
        assertNotNull(other, "lock.upgrade.classpath");
        try (RedisServer server = RedisFixture.startStoring();
                RedisFixture store = new RedisFixture(server, new RedisFactory())) {
            HistoryLength.run(
                    "Redis history of two revisions",
                    HistoryRun.over(store)
                            .lease(LEASE)
                            .lostReplies(Duration.ofMillis(20))
                            .beside(other),
                    new Coverage(200_000, 150, 1_000, 100));
        }
    }
}
