package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.Quotas;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** States of a single server that are rare, and settings of servers that limit clients. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class ServerStatesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration TICK = Duration.ofMillis(500);
    private static final LockRequest REQUEST =
            LockRequest.exclusive("lock", Duration.ofSeconds(30), LockOwner.of("host", 1, "client", "thread"));

    private final Queue<LockLoss> losses = new ConcurrentLinkedQueue<>();

    private static ZooKeeperBackendBuilder builder(String address) {
        return ZooKeeperBackend.builder(address).tick(TICK);
    }

    private static CuratorFramework operator(String address) {
        CuratorFramework made = CuratorFrameworkFactory.newClient(address, new RetryOneTime(100));
        made.start();
        return made;
    }

    @Test
    void v1_theTimeoutThatTheServerGrantsCounts() throws Exception {
        try (ZooKeeperServer server = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                        .tickTime(TICK)
                        .minSessionTimeout(Duration.ofSeconds(4))
                        .maxSessionTimeout(Duration.ofSeconds(8)));
                ZooKeeperBackend shorter = builder(server.address())
                        .sessionTimeout(Duration.ofSeconds(1))
                        .build();
                ZooKeeperBackend longer = builder(server.address())
                        .sessionTimeout(Duration.ofSeconds(60))
                        .build();
                LockClient one = LockClient.create(shorter);
                LockClient two = LockClient.create(longer)) {
            one.lock("one").acquire().close();
            two.lock("two").acquire().close();

            assertThat(shorter.expiry(REQUEST)).isEqualTo(Duration.ofSeconds(4).plus(TICK));
            assertThat(longer.expiry(REQUEST)).isEqualTo(Duration.ofSeconds(8).plus(TICK));
            assertThat(longer.heartbeatInterval()).isLessThanOrEqualTo(TICK);
        }
    }

    @Test
    void s6_aNewHoldCountsTheSmallerLimitOfAnotherServer(@TempDir Path directory) throws Exception {
        Duration smaller = Duration.ofSeconds(6);
        try (EmbeddedZooKeeper server = EmbeddedZooKeeper.start(directory, Duration.ofSeconds(40));
                LockClient locks = LockClient.builder(builder(server.address())
                                .sessionTimeout(Duration.ofSeconds(40))
                                .build())
                        .shutdownTimeout(Duration.ZERO)
                        .build()) {
            LockHandle before = locks.lock("lock").acquire();
            server.restart(smaller);
            assertThat(before.release()).isNotEqualTo(LockHandle.Release.LOST);

            LockHandle held = locks.lock("lock").acquire();

            assertThat(held.remaining()).isLessThan(smaller);
            Waiting.letPass(smaller);
            assertThat(held.isHeld()).isTrue();
            server.stop();
            Waiting.await("the hold ends", smaller.plusSeconds(1), () -> !held.isHeld());
        }
    }

    @Test
    void s1_usedUpSequenceNumbersAreRefusedAndRestart(@TempDir Path directory) throws Exception {
        try (EmbeddedZooKeeper server = EmbeddedZooKeeper.start(directory, Duration.ofSeconds(40));
                CuratorFramework operator = operator(server.address());
                LockClient locks = LockClient.create(builder(server.address()).build());
                LockClient others = LockClient.create(builder(server.address()).build())) {
            LockHandle held = locks.lock("lock").acquire();
            server.countFrom("/distlock/lock", Integer.MAX_VALUE - 3);

            for (int i = 0; i < 10; i++) {
                assertThatThrownBy(() -> others.lock("lock").acquire())
                        .isInstanceOf(LockException.class)
                        .hasCauseInstanceOf(RequestRefusedException.class)
                        .hasMessageContaining("sequence numbers");
            }
            assertThat(held.isHeld()).isTrue();
            assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
            assertThat(operator.getChildren().forPath("/distlock/lock")).isEmpty();
            // The server removes an empty container some time later.
            operator.delete().forPath("/distlock/lock");
            LockHandle next = others.lock("lock").acquire();
            assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
            next.close();
        }
    }

    @Test
    void api_anExceededQuotaIsRefusedAtOnce() throws Exception {
        try (ZooKeeperServer server = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                        .tickTime(TICK)
                        .withSystemProperty("zookeeper.enforceQuota", "true"));
                CuratorFramework operator = operator(server.address());
                LockClient locks = LockClient.create(builder(server.address()).build())) {
            operator.create().forPath("/distlock");
            byte[] limits = "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3".getBytes(StandardCharsets.UTF_8);
            operator.create().creatingParentsIfNeeded().forPath(Quotas.limitPath("/distlock"), limits);
            operator.create().forPath(Quotas.statPath("/distlock"), "count=1,bytes=0".getBytes(StandardCharsets.UTF_8));
            LockHandle held = locks.lock("one").acquire();

            long begin = System.nanoTime();
            assertThatThrownBy(() -> locks.lock("two").acquire())
                    .isInstanceOf(LockException.class)
                    .hasCauseInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("lock \"two\"")
                    .hasMessageContaining("Quota");

            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
            assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        }
    }

    @Test
    void s3_aHoldEndsOnAWipedServerAndSmallerTokensAreReported() throws Exception {
        try (CapturedLog log = new CapturedLog();
                ZooKeeperServer server =
                        ZooKeeperServer.start(ZooKeeperSettings.defaults().tickTime(TICK));
                LockClient locks = LockClient.create(builder(server.address())
                        .sessionTimeout(Duration.ofSeconds(6))
                        .build())) {
            for (int i = 0; i < 20; i++) {
                locks.lock("earlier").acquire().close();
            }
            LockHandle held = locks.lock("lock").acquire();
            held.onLost(losses::add);

            server.restart(false);

            Waiting.await("the loss is reported", PATIENCE, () -> !losses.isEmpty());
            assertThat(held.isHeld()).isFalse();
            LockHandle next = locks.lock("lock").acquire();
            assertThat(next.fencingToken()).isLessThan(held.fencingToken());
            Waiting.await(
                    "the error is logged",
                    PATIENCE,
                    () -> log.lines().stream().anyMatch(line -> line.contains("transaction numbers went back")));
            next.close();
        }
    }
}
