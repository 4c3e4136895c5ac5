package io.github.distlock.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.servers.ZooKeeperEnsemble;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Locks of an ensemble of three servers, some of which fail. */
@Order(1)
@Timeout(300) // Longer than the waits of a test together, each of which says what it has waited for.
@ResourceLock("starts servers for whole classes")
class ZooKeeperEnsembleTest {
    private static final Duration TICK = Duration.ofMillis(500);
    private static final Duration SESSION = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static ZooKeeperEnsemble ensemble;

    @BeforeAll
    static void start() {
        ensemble = ZooKeeperEnsemble.start(
                ZooKeeperSettings.defaults().tickTime(TICK).withSystemProperty("readonlymode.enabled", "true"));
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
            assertFalse(waiter.isDone() && held.isHeld());
            // A slow election may have cost the hold.
            boolean isRenewed = held.state() == LockHandle.State.HELD;
            LockHandle.Release outcome = held.release();
            assertTrue(outcome == LockHandle.Release.RELEASED || !isRenewed, outcome.toString());
            LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
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

    private static ZooKeeperServer serverOf(LockHandle held, String name) {
        long session = SharedZooKeeper.asked(
                ensemble.leader(), operator -> SharedZooKeeper.sessionOfFirst(operator, "/distlock/" + name));
        assertTrue(held.isHeld());
        return ensemble.members().stream()
                .filter(member ->
                        SharedZooKeeper.fourLetterWord(member, "cons").contains("sid=0x" + Long.toHexString(session)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void v8_aHoldMovesToAnotherServerWhenItsFollowerIsKilled() throws Exception {
        String followers = ensemble.followers().stream().map(Server::address).collect(Collectors.joining(","));
        try (LockClient locks = client(followers)) {
            LockHandle held = locks.lock("moves").acquire();
            ZooKeeperServer server = serverOf(held, "moves");

            server.kill();

            Waiting.letPass(Duration.ofSeconds(1));
            Waiting.await("the hold is renewed", SESSION, () -> held.state() == LockHandle.State.HELD);
            Waiting.letPass(SESSION);
            assertTrue(held.isHeld());
            assertEquals(1, nodes("moves"));
            assertEquals(LockHandle.Release.RELEASED, held.release());
            server.restart(true);
            ensemble.awaitQuorum();
        }
    }

    private static int nodes(String name) {
        return SharedZooKeeper.asked(
                ensemble.leader(),
                operator ->
                        SharedZooKeeper.children(operator, "/distlock/" + name).size());
    }

    @Test
    void v8_aHoldOutlivesTheLossOfTheQuorumForLessThanItsValidity() throws Exception {
        try (LockClient locks = client(ensemble.connectString())) {
            LockHandle held = locks.lock("shortly").acquire();
            Waiting.letPass(Duration.ofSeconds(2));
            ensemble.members().forEach(Server::pause);
            Waiting.letPass(SESSION.dividedBy(3));

            ensemble.members().forEach(Server::resume);

            Waiting.await("the hold is renewed", SESSION, () -> held.state() == LockHandle.State.HELD);
            Waiting.letPass(SESSION);
            assertTrue(held.isHeld());
            assertEquals(LockHandle.Release.RELEASED, held.release());
        }
    }

    @Test
    void s3_tokensRiseWhenAllServersRestart() throws Exception {
        try (LockClient locks = client(ensemble.connectString())) {
            LockHandle held = locks.lock("restarted").acquire();

            ensemble.restart(true);

            ensemble.awaitQuorum();
            // A slow restart may have cost the hold.
            held.release();
            LockHandle next = locks.lock("restarted").acquire();
            assertTrue(next.fencingToken() > held.fencingToken());
            next.close();
        }
    }

    private static boolean isReadOnly(ZooKeeperServer server) {
        try {
            return SharedZooKeeper.fourLetterWord(server, "srvr").contains("Mode: read-only");
        } catch (IllegalStateException e) {
            return false; // It closes its connections when it changes its mode.
        }
    }

    @Test
    void s1_aReadOnlyServerGrantsNothing() throws Exception {
        ZooKeeperServer alone = ensemble.followers().get(0);
        List<ZooKeeperServer> others =
                ensemble.members().stream().filter(member -> member != alone).toList();
        others.forEach(Server::kill);
        try (CuratorFramework curator = CuratorFrameworkFactory.builder()
                        .connectString(alone.address())
                        .canBeReadOnly(true)
                        .retryPolicy(new RetryOneTime(100))
                        .build();
                LockClient locks = LockClient.create(
                        ZooKeeperBackend.builder(curator).tick(TICK).build())) {
            Waiting.await("the server is read-only", PATIENCE, () -> isReadOnly(alone));
            curator.start();

            assertThrows(LockException.class, () -> locks.lock("readonly").tryAcquire());

            others.parallelStream().forEach(other -> other.restart(true));
            ensemble.awaitQuorum();
            locks.lock("readonly").acquire().close();
        } finally {
            others.stream().filter(other -> !other.isRunning()).forEach(other -> other.restart(true));
            ensemble.awaitQuorum();
        }
    }
}
