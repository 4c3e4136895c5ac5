package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.Server;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;

/** A client whose server fails. Behind the same address, it then finds a replica that does not know its hold. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class ReplicaTest {
    private static final Duration LEASE = Duration.ofSeconds(30);

    private final RedisServer primary = RedisServer.start();
    private final FaultProxy replication = FaultProxy.to(primary);
    private final AtomicReference<Server> behindTheAddress = new AtomicReference<>(primary);
    private final RedisBackend backend = TestContender.started(RedisBackend.builder(primary.uri())
            .clientConfig(DefaultJedisClientConfig.builder()
                    .hostAndPortMapper(address -> new HostAndPort(
                            behindTheAddress.get().host(),
                            behindTheAddress.get().port()))
                    .build())
            .build());
    private final TestContender holder = TestContender.waiting(backend, "replicated", LEASE);
    private RedisServer replica;
    private Grant held;

    @BeforeEach
    void failOver() throws InterruptedException {
        backend.start(new RecordingContext("redis"));
        replication.silence();
        replica = RedisServer.start("replicaof " + replication.host() + " " + replication.port());
        held = holder.acquire();
        primary.kill();
        behindTheAddress.set(replica);
    }

    @AfterEach
    void close() {
        backend.close();
        replica.close();
        replication.close();
        primary.close();
    }

    @Test
    void s5_aReplicaThatDoesNotKnowAHoldDoesNotSayThatItIsGone() throws InterruptedException {
        Object answer = holder.renew(held, LEASE);

        Throwable unknown = assertInstanceOf(Throwable.class, answer);
        assertTrue(unknown.getMessage().contains("READONLY"), unknown.getMessage());
    }

    /** It has heard of an extension. So the renewal would change nothing. */
    @Test
    void s1_aReplicaConfirmsNoRenewalOfAHoldThatItKnowsForLonger() throws InterruptedException {
        String value = ((RedisGrant) held).contender.value;
        letReplicaKnow(value + "\t1\tlock\t1\t" + held.fencingBase() + "\towner");
        try (RedisClient admin = RedisClient.create(replica.uri())) {
            admin.configSet("replica-read-only", "no");
            admin.pexpire("distlock:replicated", LEASE.multipliedBy(10).toMillis());
            admin.configSet("replica-read-only", "yes");
        }

        Throwable unknown = assertInstanceOf(Throwable.class, holder.renew(held, LEASE));

        assertTrue(unknown.getMessage().contains("READONLY"), unknown.getMessage());
    }

    @Test
    void s5_aReleaseAtAReplicaThatDoesNotKnowTheHoldHasAnUnknownOutcome() {
        Exception unknown = assertThrows(RuntimeException.class, () -> held.release(TestContender.deadline()));

        assertTrue(unknown.getMessage().contains("READONLY"), unknown.getMessage());
    }

    @Test
    void s5_aReleaseThatKeepsTheLockHasAnUnknownOutcomeThere() {
        Exception unknown = assertThrows(RuntimeException.class, () -> held.keep(LEASE, TestContender.deadline()));

        assertTrue(unknown.getMessage().contains("READONLY"), unknown.getMessage());
    }

    @Test
    void api_aForcedReleaseAtAReplicaThatDoesNotKnowTheHoldFails() {
        expectReadOnly(OptionalLong.empty());
    }

    /** The replica knows nothing of the lock, or an earlier holder. */
    @ParameterizedTest
    @ValueSource(strings = {"", "value\t1\tlock\t1\t5\towner"})
    void api_aForcedReleaseByABaseAtAReplicaThatDoesNotKnowTheHoldFails(String known) {
        letReplicaKnow(known);

        expectReadOnly(OptionalLong.of(held.fencingBase()));
    }

    private void letReplicaKnow(String record) {
        try (RedisClient admin = RedisClient.create(replica.uri())) {
            admin.configSet("replica-read-only", "no");
            if (!record.isEmpty()) {
                admin.set("distlock:replicated", record);
            }
            admin.configSet("replica-read-only", "yes");
        }
    }

    private void expectReadOnly(OptionalLong base) {
        // The first request may use the connection to the killed primary.
        Waiting.await(
                "READONLY",
                Duration.ofSeconds(20),
                () -> forceReleaseFailure(base).contains("READONLY"));
    }

    /** The replica knows nothing of the lock, or an earlier holder. */
    @ParameterizedTest
    @CsvSource({"READ, ''", "WRITE, ''", "READ, value\t1\twrite\t1\t5\towner", "WRITE, value\t1\twrite\t1\t5\towner"})
    void s5_aReplicaThatDoesNotKnowAReaderOrWriterDoesNotSayThatItIsGone(LockMode.Kind kind, String known)
            throws InterruptedException {
        letReplicaKnow(known);
        RedisContender contender = ((RedisGrant) held).contender;
        LockMode mode = kind == LockMode.Kind.READ ? LockMode.READ : LockMode.WRITE;
        RedisGrant unknown = new RedisGrant(contender, mode, held.fencingBase(), held.validity());

        Throwable renewal = assertInstanceOf(Throwable.class, holder.renew(unknown, LEASE));
        Exception release = assertThrows(RuntimeException.class, () -> unknown.release(TestContender.deadline()));
        Exception downgrade = assertThrows(RuntimeException.class, () -> unknown.downgrade(TestContender.deadline()));

        for (Throwable answer : List.of(renewal, release, downgrade)) {
            assertTrue(answer.getMessage().contains("READONLY"), answer.getMessage());
        }
    }

    @Test
    void v12_aRequestForReleaseAtAReplicaThatDoesNotKnowTheHoldFails() {
        // The first request may use the connection to the killed primary.
        Waiting.await("READONLY", Duration.ofSeconds(20), () -> {
            Exception unknown = assertThrows(
                    RuntimeException.class,
                    () -> backend.requestRelease("replicated", holder.owner(), TestContender.deadline()));
            return String.valueOf(unknown.getMessage()).contains("READONLY");
        });
    }

    private String forceReleaseFailure(OptionalLong base) {
        Exception unknown = assertThrows(
                RuntimeException.class, () -> backend.forceRelease("replicated", base, TestContender.deadline()));
        return String.valueOf(unknown.getMessage());
    }
}
