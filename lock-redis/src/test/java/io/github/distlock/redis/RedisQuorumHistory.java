package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.history.Coverage;
import io.github.distlock.tests.history.HistoryLength;
import io.github.distlock.tests.history.HistoryRun;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Histories of a quorum obey the promises while one server after the other is killed, and restarted with or without its
 * data. {@code .ci/extended} runs them. All faults of servers strike one server at a time.
 */
@Tag("histories")
class RedisQuorumHistory {
    private static final Duration LEASE = Duration.ofSeconds(1);
    /** A server does not vote for this time after a loss. So the next one must be killed later. */
    private static final Duration LONGEST_LEASE = Duration.ofSeconds(2);

    private static final Duration KILLS = Duration.ofSeconds(5);

    @Test
    void historiesObeyThePromisesWhileServersAreKilledAndLoseTheirData() throws InterruptedException {
        try (RedisServers servers = QuorumFixture.startVoting(QuorumFixture.SERVERS);
                HistoryFixture store = new HistoryFixture(servers)) {
            List<RedisServer> members = servers.members();
            HistoryLength.run(
                    "Redis history on three servers",
                    HistoryRun.over(store)
                            .lease(LEASE)
                            .striking(() ->
                                    members.get(ThreadLocalRandom.current().nextInt(members.size())))
                            .kills(KILLS)
                            .losingData()
                            .lostReplies(Duration.ofMillis(100)),
                    new Coverage(5_000, 100, 300, 10));
        }
    }

    private static final class HistoryFixture extends QuorumFixture {
        private HistoryFixture(RedisServers servers) {
            super(servers, new HistoryFactory());
        }
    }

    /** Creates backends with a short longest lease. */
    public static final class HistoryFactory implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            return QuorumFixture.QuorumFactory.builder(address)
                    .longestLease(LONGEST_LEASE)
                    .keyPrefix(space + ":")
                    .build();
        }
    }
}
