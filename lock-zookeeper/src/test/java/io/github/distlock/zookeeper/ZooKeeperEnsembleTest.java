package io.github.distlock.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperEnsemble;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Locks of an ensemble of three servers, some of which fail. */
@Timeout(120)
@ResourceLock("starts servers and processes")
class ZooKeeperEnsembleTest {
    private static final Duration TICK = Duration.ofMillis(500);
    private static final Duration SESSION = Duration.ofSeconds(10);
    private static ZooKeeperEnsemble ensemble;

    @BeforeAll
    static void start() {
        ensemble = ZooKeeperEnsemble.start(ZooKeeperSettings.defaults().tickTime(TICK));
    }

    @AfterAll
    static void stop() {
        ensemble.close();
    }

    private static LockClient client(String address) {
        return LockClient.builder(ZooKeeperBackend.builder(address)
                        .sessionTimeout(SESSION)
                        .tick(TICK)
                        .build())
                .shutdownTimeout(Duration.ZERO)
                .build();
    }

    @Test
    void s1_holdsDoNotOverlapAndTokensRiseWhenTheLeaderIsKilled() throws Exception {
        try (LockClient a = client(ensemble.connectString());
                LockClient b = client(ensemble.connectString())) {
            LockHandle held = a.lock("leader").acquire();
            CompletableFuture<LockHandle> waiter = b.lock("leader").acquireAsync();
            ZooKeeperServer leader = ensemble.leader();
            leader.kill();
            ensemble.awaitQuorum();
            Waiting.letPass(Duration.ofSeconds(3));
            if (held.isHeld()) {
                assertFalse(waiter.isDone());
                assertEquals(LockHandle.Release.RELEASED, held.release());
            }
            LockHandle next = waiter.get(20, TimeUnit.SECONDS);
            assertTrue(next.fencingToken() > held.fencingToken());
            next.close();
            leader.restart(true);
            ensemble.awaitQuorum();
        }
    }

    @Test
    void s6_aHoldEndsIfItsServerAnswersWithoutAQuorum() throws Exception {
        ZooKeeperServer leader = ensemble.leader();
        ZooKeeperServer follower = ensemble.members().stream()
                .filter(member -> member != leader)
                .findFirst()
                .orElseThrow();
        try (LockClient locks = client(follower.address())) {
            LockHandle held = locks.lock("quorum").acquire();
            ensemble.members().stream().filter(member -> member != follower).forEach(Server::pause);
            Waiting.await("the hold ends", SESSION, () -> !held.isHeld());
            ensemble.members().forEach(Server::resume);
            ensemble.awaitQuorum();
            LockHandle again = locks.lock("quorum").acquire();
            assertTrue(again.fencingToken() > held.fencingToken());
            again.close();
        }
    }
}
