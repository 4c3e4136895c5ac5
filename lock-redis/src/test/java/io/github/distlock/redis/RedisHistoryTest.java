package io.github.distlock.redis;

import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.history.Coverage;
import io.github.distlock.tests.history.HistoryLength;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Histories of Redis locks under faults in processes, connections and server obey the promises. */
@Tag("histories")
class RedisHistoryTest {
    private static final Duration LEASE = Duration.ofSeconds(1);

    @Test
    void historiesObeyThePromises() throws InterruptedException {
        run("Redis history", new RedisFactory());
    }

    @Test
    void historiesWithSuppliedClientsObeyThePromises() throws InterruptedException {
        run("Redis history with supplied clients", new RedisSuppliedClientContractTest.SuppliedClientFactory());
    }

    private static void run(String name, BackendFactory clients) throws InterruptedException {
        try (RedisServer server = RedisFixture.startStoring();
                RedisFixture store = new RedisFixture(server, clients)) {
            HistoryLength.run(
                    name,
                    HistoryRun.over(store).lease(LEASE).lostReplies(Duration.ofMillis(20)),
                    new Coverage(200_000, 150, 1_000, 100));
        }
    }
}
