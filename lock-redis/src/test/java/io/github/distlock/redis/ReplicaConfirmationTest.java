package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** Grants that count only after replicas have confirmed them. The link to one replica can be silent. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class ReplicaConfirmationTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** More than a busy machine needs for a single try. Half of it goes by if a replica confirms nothing. */
    private static final Duration REQUEST = Duration.ofSeconds(4);
    /** So long that no renewal and no expiry comes into play. */
    private static final LockOptions LONG = LockOptions.defaults().renewedLease(Duration.ofSeconds(60));

    // A replica in a container would not reach the link.
    private final RedisServer primary = RedisServer.startProcess("repl-diskless-sync-delay 0");
    private final FaultProxy link = FaultProxy.to(primary);
    private final RedisServer replica = RedisServer.startProcess("replicaof " + link.host() + " " + link.port());
    private final RedisClient atPrimary = RedisClient.create(primary.uri());
    private final RedisClient atReplica = RedisClient.create(replica.uri());

    @AfterEach
    void close() {
        atReplica.close();
        atPrimary.close();
        replica.close();
        link.close();
        primary.close();
    }

    private LockClient client(boolean all) {
        RedisBackendBuilder builder = RedisBackend.builder(primary.uri());
        return LockClient.builder((all ? builder.awaitAllReplicas() : builder.awaitReplicas(1)).build())
                .requestTimeout(REQUEST)
                .build();
    }

    private void awaitReplica() {
        Waiting.await("the replica is in step", PATIENCE, () -> {
            atPrimary.incr("steps");
            return atPrimary.get("steps").equals(atReplica.get("steps"));
        });
    }

    private String record(RedisClient server) {
        return String.valueOf(server.get("distlock:job"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s1_aGrantIsAtTheReplicaWhenTheAcquireReturns(boolean all) throws Exception {
        awaitReplica();
        try (LockClient client = client(all)) {
            for (int i = 0; i < 20; i++) {
                String name = "job" + i;
                LockHandle handle = client.lock(name, LONG).acquire();
                assertThat(atReplica.get("distlock:" + name)).isEqualTo(atPrimary.get("distlock:" + name));
                handle.close();
            }
            LockHandle permit = client.semaphore("permits", 2).permit().acquire();
            assertThat(atReplica.exists("distlock:permits")).isTrue();
            permit.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s7_aGrantThatNoReplicaConfirmsFailsAndIsWithdrawn(boolean all) {
        awaitReplica();
        try (LockClient client = client(all)) {
            link.silence();

            assertThatThrownBy(() -> client.lock("job", LONG).tryAcquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("0 of 1 replicas have confirmed");

            Waiting.await("nothing is left", PATIENCE, () -> !atPrimary.exists("distlock:job"));
        }
    }

    @Test
    void s7_withoutAnyReplicaNoGrantCounts() {
        awaitReplica();
        replica.kill();
        Waiting.await(
                "it is gone", PATIENCE, () -> atPrimary.info("replication").contains("connected_slaves:0"));
        try (LockClient client = client(true)) {
            assertThatThrownBy(() -> client.lock("job", LONG).tryAcquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("0 of 1 replicas have confirmed");
        }
    }

    @Test
    void s1_allMeansEachConnectedReplica() throws Exception {
        awaitReplica();
        try (RedisServer second = RedisServer.startProcess("replicaof " + primary.host() + " " + primary.port());
                LockClient one = client(false);
                LockClient all = client(true)) {
            Waiting.await("both are connected", PATIENCE, () -> {
                String info = atPrimary.info("replication");
                return info.contains("slave0:") && info.split("state=online", -1).length == 3;
            });
            link.silence();

            one.lock("job", LONG).acquire().close();
            assertThatThrownBy(() -> all.lock("job", LONG).tryAcquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("1 of 2 replicas have confirmed");
            assertThat(second.isRunning()).isTrue();
        }
    }

    @Test
    void s1_aHandoffIsAtTheReplicaWhenTheWaiterHoldsTheLock() throws Exception {
        awaitReplica();
        try (LockClient first = client(false);
                LockClient second = client(false)) {
            LockHandle held = first.lock("job", LONG).acquire();
            CompletableFuture<LockHandle> waiter = second.lock("job", LONG).acquireAsync();
            Waiting.await(
                    "it waits",
                    PATIENCE,
                    () -> first.inspector().inspect("job").waiters().size() == 1);

            held.close();
            LockHandle next = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);

            assertThat(record(atReplica).strip()).isEqualTo(record(atPrimary).strip());
            next.close();
        }
    }

    @Test
    void s1_aHandoffThatNoReplicaConfirmsDoesNotCount() throws Exception {
        awaitReplica();
        try (LockClient first = client(false);
                LockClient second = client(false)) {
            LockHandle held = first.lock("job", LONG).acquire();
            CompletableFuture<Optional<LockHandle>> waiter =
                    second.lock("job", LONG).tryAcquireAsync(Duration.ofSeconds(12));
            Waiting.await(
                    "it waits",
                    PATIENCE,
                    () -> first.inspector().inspect("job").waiters().size() == 1);

            link.silence();
            held.close();

            assertThat(waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEmpty();
            Waiting.await("nothing is left", PATIENCE, () -> !atPrimary.exists("distlock:job"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"WAIT", "ROLE"})
    void api_aServerWithoutTheCommandIsRefusedBeforeItGrantsAnything(String command) throws Exception {
        try (RedisServer server = RedisServer.start("rename-command " + command + " \"\"");
                RedisClient admin = RedisClient.create(server.uri());
                LockClient client = LockClient.create(
                        RedisBackend.builder(server.uri()).awaitAllReplicas().build())) {

            assertThatThrownBy(() -> client.lock("job", LONG).tryAcquire(PATIENCE.multipliedBy(60)))
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining(command)
                    .hasMessageContaining("awaitReplicas needs this command");

            assertThat(admin.keys("*")).isEmpty();
        }
    }

    @Test
    void v2_aReplicaIsLeftAsOneThatIsReadOnly() {
        awaitReplica();
        try (LockClient client = LockClient.builder(
                        RedisBackend.builder(replica.uri()).awaitReplicas(1).build())
                .requestTimeout(REQUEST)
                .build()) {

            assertThatThrownBy(() -> client.lock("job", LONG).tryAcquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("READONLY");
        }
    }

    @Test
    void api_aProxyThatDoesNotKnowTheCommandIsRefused() throws Exception {
        try (CloudProxy proxy = new CloudProxy(primary.address());
                LockClient client = LockClient.create(RedisBackend.builder("redis://" + proxy.address())
                        .publishFromClient()
                        .awaitReplicas(1)
                        .build())) {

            assertThatThrownBy(() -> client.lock("job", LONG).tryAcquire(PATIENCE.multipliedBy(60)))
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining("'WAIT'; awaitReplicas needs this command");
        }
    }

    @Test
    void api_theNumberHasBoundsAndTheConnectionsMustBeTheBackends() {
        for (int least : new int[] {0, -1, 101}) {
            assertThatThrownBy(() -> RedisBackend.builder(primary.uri()).awaitReplicas(least))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("least");
        }
        assertThatThrownBy(() -> RedisBackend.builder(atPrimary).awaitReplicas(1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("own connections");
    }

    @Test
    void s3_anotherBaseCountsOnlyOnceAReplicaHasIt() throws Exception {
        awaitReplica();
        RedisBackend backend = TestContender.started(
                RedisBackend.builder(primary.uri()).awaitReplicas(1).build());
        try {
            Grant held = TestContender.waiting(backend, "job", PATIENCE).acquire();

            long base = held.nextBase(TestContender.deadline()).orElseThrow();

            assertThat(record(atReplica)).contains("\t" + base + "\t");
            link.silence();
            assertThatThrownBy(() -> held.nextBase(Deadline.after(REQUEST, LockClock.system())))
                    .hasMessageContaining("replica");
        } finally {
            backend.close();
        }
    }
}
