package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClusterClient;

/**
 * Locks whose slot a cluster migrates from one node to another. Each node knows the other one only by its announced
 * address, and the client maps that to the real one. So the nodes exchange no messages, and the test tells each of them
 * what the other one would.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class SlotMigrationTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final String SOURCE = "192.0.2.1";
    private static final String TARGET = "192.0.2.2";
    private static final int SLOTS = 16_384;

    private static Node source;
    private static Node target;
    private static RedisClusterClient client;

    private final String name = UUID.randomUUID().toString();
    private final String lock = "distlock:" + name;
    private final String token = "distlock:{" + lock + "}:token";
    private final String alive = "distlock:{" + lock + "}:alive";
    private final long slot = (long) source.cluster("KEYSLOT", lock);
    private final RedisBackend one = TestContender.started(RedisBackend.of(client));
    private final RedisBackend other = TestContender.started(RedisBackend.of(client));

    /** A primary of the cluster, with a connection for the test. */
    private record Node(RedisServer server, Jedis admin) {
        static Node start(String announced) {
            RedisServer server = RedisServer.start(
                    "cluster-enabled yes",
                    "cluster-announce-ip " + announced,
                    "cluster-require-full-coverage no",
                    // For so long it keeps a node that has not answered it.
                    "cluster-node-timeout 3600000");
            return new Node(server, new Jedis(server.host(), server.port()));
        }

        @CanIgnoreReturnValue
        Object cluster(String... arguments) {
            Object reply = admin.sendCommand(Command.CLUSTER, arguments);
            return reply instanceof byte[] text ? new String(text, UTF_8) : reply;
        }

        void meet(String announced, Node node) {
            cluster("MEET", announced, String.valueOf(node.server.port()), "1");
        }

        String idOfOther() {
            return cluster("NODES")
                    .toString()
                    .lines()
                    .filter(node -> !node.contains("myself"))
                    .map(node -> node.split(" ", 2)[0])
                    .findFirst()
                    .orElseThrow();
        }

        void setSlot(long slot, String... state) {
            cluster(Stream.concat(Stream.of("SETSLOT", Long.toString(slot)), Stream.of(state))
                    .toArray(String[]::new));
        }

        /** Returns the connection for one command about a slot that this node imports. */
        Jedis asking() {
            var unused = admin.sendCommand(Command.ASKING);
            return admin;
        }

        HostAndPort address() {
            return new HostAndPort(server.host(), server.port());
        }

        void close() {
            admin.close();
            server.close();
        }
    }

    /**
     * The cluster lives as long as the JVM, as other shared servers do. Its start takes seconds, and the mutation run
     * begins this class again for each test.
     */
    @BeforeAll
    static void startCluster() {
        if (client != null) {
            return;
        }
        List<Node> started = new ArrayList<>();
        try {
            started.add(Node.start(SOURCE));
            started.add(Node.start(TARGET));
            source = started.get(0);
            target = started.get(1);
            join();
        } catch (Throwable e) {
            started.forEach(Node::close);
            throw e;
        }
        client = RedisClusterClient.builder()
                .nodes(Set.of(source.address()))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .hostAndPortMapper(SlotMigrationTest::realAddress)
                        .build())
                .build();
    }

    private static void join() {
        source.cluster(
                Stream.concat(Stream.of("ADDSLOTS"), IntStream.range(0, SLOTS).mapToObj(Integer::toString))
                        .toArray(String[]::new));
        target.cluster("ADDSLOTS", "0");
        source.meet(TARGET, target);
        target.meet(SOURCE, source);
        for (Node node : new Node[] {source, target}) {
            Waiting.await(
                    "the node serves its slots",
                    Duration.ofSeconds(30),
                    () -> node.cluster("INFO").toString().contains("cluster_state:ok"));
        }
    }

    private static HostAndPort realAddress(HostAndPort announced) {
        return switch (announced.getHost()) {
            case SOURCE -> source.address();
            case TARGET -> target.address();
            default -> announced;
        };
    }

    @AfterEach
    void closeBackends() {
        one.close();
        other.close();
    }

    private void beginMigration() {
        target.setSlot(slot, "NODE", target.idOfOther());
        target.setSlot(slot, "IMPORTING", target.idOfOther());
        source.setSlot(slot, "MIGRATING", source.idOfOther());
    }

    /** Ends the migration by its cancellation: Redis 7 changes the owner only between nodes that exchange messages. */
    private void endMigration() {
        source.setSlot(slot, "STABLE");
        for (String key : keysAt(target)) {
            long ttl = target.asking().pttl(key);
            byte[] dumped = target.asking().dump(key);
            assertEquals("OK", source.admin.restore(key, ttl, dumped));
            target.asking().del(key);
        }
    }

    private List<String> keysAt(Node node) {
        return ((List<?>) node.cluster("GETKEYSINSLOT", Long.toString(slot), "100"))
                .stream().map(key -> new String((byte[]) key, UTF_8)).toList();
    }

    /** Reads the lock key at the node that the migration has given it to. */
    private @Nullable String recordAtTarget() {
        return target.asking().get(lock);
    }

    private void lockIsHeldAtTarget(String record) {
        assertEquals("OK", target.asking().set(lock, record));
    }

    private long serverMicros() {
        return target.admin.time().stream().mapToLong(Long::parseLong).reduce(0, (high, low) -> high * 1_000_000 + low);
    }

    private TestContender waiting(RedisBackend backend) {
        return TestContender.waiting(backend, name, LEASE);
    }

    private static void release(Grant held) throws InterruptedException {
        assertEquals(Grant.Release.RELEASED, held.release(TestContender.deadline()));
    }

    private void expectSeveralKeysRefused() {
        ErrorReply refused = assertThrows(ErrorReply.class, () -> one.inspect(name, TestContender.deadline()));
        assertTrue(refused.getMessage().startsWith("TRYAGAIN"), refused.getMessage());
    }

    @Test
    void s1_aFreeLockIsAcquiredAndReleasedByItsKeyAlone() throws InterruptedException {
        beginMigration();
        expectSeveralKeysRefused();
        TestContender holder = waiting(one);
        TestContender waiter = waiting(other);
        long before = serverMicros();

        Grant held = holder.acquire();

        assertEquals(holder.record(held.fencingBase()) + "\n", recordAtTarget());
        assertTrue(held.fencingBase() >= before);
        waiter.findBusy();
        Waiting.await("it is subscribed", Duration.ofSeconds(10), () -> waiter.wakeUps.get() > 0);
        assertTrue(waiter.findBusy().compareTo(Duration.ofMillis(251)) <= 0, "nothing notifies it");
        release(held);
        assertNull(recordAtTarget());
        waiter.acquire();
    }

    @Test
    void s1_aHoldFromBeforeExcludesOthersIsRenewedAndReleased() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        beginMigration();

        waiting(other).findBusy();

        assertInstanceOf(Validity.class, holder.renew(held, LEASE.multipliedBy(2)));
        assertTrue(source.admin.pttl(lock) > LEASE.toMillis());
        source.admin.del(token);
        holder.renewLater(held, LEASE.multipliedBy(4));
        assertTrue(source.admin.pttl(lock) > LEASE.multipliedBy(2).toMillis(), "extended without its token");
        release(held);
        assertFalse(keysAt(source).contains(lock));
    }

    @Test
    void s13_aReleaseKeepsTheLockByItsKeyAlone() throws InterruptedException {
        beginMigration();
        TestContender holder = waiting(one);
        Grant held = holder.acquire();

        assertEquals(Grant.Release.RELEASED, held.keep(LEASE, TestContender.deadline()));

        assertEquals("kept", String.valueOf(recordAtTarget()).split("\t", 2)[0]);
        assertTrue(target.asking().pttl(lock) > 0);
        waiting(other).findBusy();
        assertEquals(Grant.Release.RELEASED, held.keep(LEASE, TestContender.deadline()));
        assertEquals("gone", holder.renew(held, LEASE));
    }

    /** The script does not see whether contenders wait. */
    @Test
    void v11_aHoldByItsKeyAloneIsNotSticky() throws InterruptedException {
        release(TestContender.sticky(one, name, LEASE).acquire());
        Waiting.await("the client is subscribed", Duration.ofSeconds(10), one::hearsMessages);
        Grant before = TestContender.sticky(one, name, LEASE).acquire();
        assertTrue(before.hearsOthers(), "before the migration");
        release(before);
        beginMigration();

        assertFalse(TestContender.sticky(one, name, LEASE).acquire().hearsOthers());
    }

    @Test
    void s5_aReleaseOfALostHoldChangesNothing() throws InterruptedException {
        beginMigration();
        Grant held = waiting(one).acquire();
        lockIsHeldAtTarget("another holder");

        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));

        assertEquals("another holder", recordAtTarget());
    }

    @Test
    void s5_aReleaseOfALostHoldKeepsNothing() throws InterruptedException {
        beginMigration();
        Grant held = waiting(one).acquire();
        lockIsHeldAtTarget("another holder");

        assertEquals(Grant.Release.GONE, held.keep(LEASE, TestContender.deadline()));

        assertEquals("another holder", recordAtTarget());
    }

    @Test
    void s2_aRepeatedRequestFindsItsHoldAndRestartsItsLease() throws InterruptedException {
        beginMigration();
        TestContender holder = waiting(one);
        long base = holder.acquire().fencingBase();
        lockIsHeldAtTarget(holder.record(base) + "\n");

        assertEquals(base, holder.acquire().fencingBase());

        assertTrue(target.asking().pttl(lock) > 0);
    }

    @Test
    void s3_aTokenIsGreaterThanTheClientsGreatest() throws InterruptedException {
        beginMigration();
        long ahead = serverMicros() + 86_400_000_000L;

        Grant held = TestContender.knowing(ahead, one, name, LEASE).acquire();

        assertEquals(ahead + 1, held.fencingBase());
    }

    @Test
    void s3_aTokenAfterTheMigrationIsGreater() throws InterruptedException {
        long before = grantAndRelease();
        beginMigration();
        long during = grantAndRelease();
        endMigration();

        long after = grantAndRelease();

        assertTrue(before < during && during < after, before + ", " + during + ", " + after);
        assertEquals(Long.toString(after), source.admin.get(token).strip());
    }

    private long grantAndRelease() throws InterruptedException {
        Grant held = waiting(one).acquire();
        release(held);
        return held.fencingBase();
    }

    @Test
    void v3_aReleaseAfterTheMigrationServesTheWaiters() throws InterruptedException {
        beginMigration();
        Grant held = waiting(one).acquire();
        endMigration();
        TestContender waiter = waiting(other);
        waiter.findBusy();

        release(held);

        assertEquals(waiter.value(), source.admin.get(lock).split("\t", 2)[0]);
    }

    @Test
    void s7_aWithdrawalEndsAHoldWithoutAnAnswer() throws InterruptedException {
        beginMigration();
        TestContender contender = waiting(one);
        contender.acquire();

        contender.withdraw();

        assertNull(recordAtTarget());
    }

    @Test
    void s1_aMessageFromBeforeTheMigrationMakesNoHolder() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = waiting(other);
        waiter.findBusy();
        beginMigration();
        source.admin.del(alive);
        waiter.findBusy();

        waiter.hearsOfHandoff(serverMicros() + 86_400_000_000L);

        waiter.findBusy();
    }

    static Stream<LockMode> modes() {
        return Stream.of(LockMode.READ, LockMode.WRITE, LockMode.permits(2, 3));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s6_aHoldOfAReaderAWriterOrPermitsFromBeforeIsRenewed(LockMode mode) throws InterruptedException {
        TestContender holder = TestContender.waiting(one, name, mode, LEASE);
        Grant held = holder.acquire();
        beginMigration();

        assertInstanceOf(Validity.class, holder.renew(held, LEASE.multipliedBy(2)));
        assertTrue(source.admin.pttl(lock) > LEASE.toMillis());
        source.admin.del(token);
        holder.renewLater(held, LEASE.multipliedBy(4));

        assertTrue(source.admin.pttl(lock) > LEASE.multipliedBy(2).toMillis(), "extended without its token");
    }

    @ParameterizedTest
    @MethodSource("modes")
    void s7_otherRequestsForReadersWritersAndPermitsFailUntilTheSlotHasMoved(LockMode mode)
            throws InterruptedException {
        Grant held = TestContender.waiting(one, name, mode, LEASE).acquire();
        beginMigration();

        ErrorReply release = assertThrows(ErrorReply.class, () -> held.release(TestContender.deadline()));
        ErrorReply acquire = assertThrows(
                ErrorReply.class, TestContender.waiting(other, name, LockMode.permits(1, 3), LEASE)::attempt);
        endMigration();

        assertTrue(release.getMessage().startsWith("TRYAGAIN"), release.getMessage());
        assertTrue(acquire.getMessage().startsWith("TRYAGAIN"), acquire.getMessage());
        release(held);
        assertFalse(source.admin.exists(lock));
    }

    @Test
    void s5_aForeignKeyIsBusyAndStays() throws InterruptedException {
        beginMigration();
        target.asking().hset(lock, "field", "value");
        target.asking().pexpire(lock, 10_000);

        assertEquals(
                Duration.ofSeconds(30), TestContender.trying(one, name, LEASE).findBusy());
        assertEquals("hash", target.asking().type(lock));
    }
}
