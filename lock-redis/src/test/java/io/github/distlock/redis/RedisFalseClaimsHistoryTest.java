package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.history.HistoryReport;
import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.RedisServer;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories find a backend whose holds claim a longer validity than the server's lease. */
@Tag("histories")
class RedisFalseClaimsHistoryTest {
    /** With this number of faults, each of nine runs had 15 violations or more. With 7 faults, one run had none. */
    private static final int FAULTS = 25;

    @Test
    void holdsThatClaimTooMuchAreFound(@TempDir Path directory) throws InterruptedException {
        try (RedisServer server = RedisFixture.startStoring();
                RedisFixture store = new RedisFixture(server, new OverlongValidity())) {
            HistoryReport report = HistoryRun.over(store)
                    .lease(Duration.ofSeconds(1))
                    .processes(3, 3)
                    .duration(Duration.ofSeconds(8))
                    .atLeast(FAULTS, 0)
                    .seed(System.nanoTime())
                    .keepIn(directory)
                    .run();
            assertTrue(
                    report.violations().stream()
                            .anyMatch(violation -> violation.rule() == HistoryRule.CLAIMS_END_BEFORE_THE_NEXT_GRANT
                                    || violation.rule() == HistoryRule.HOLDS_DO_NOT_OVERLAP),
                    report.toString());
        }
    }
}
