package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Commands that run only with a current token, on a real server. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock(RedisFixture.Shared.SCRIPTS)
class RedisFenceTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final RedisServer SERVER = RedisFixture.Shared.SERVER;
    /** A token has the base of a grant, and the number of a local handoff. */
    private static final long TOKEN = 1_790_000_000_000_000L << 8;

    private final String key = "account:" + UUID.randomUUID();
    private final String stored = "distlock:{" + key + "}:fence";
    private final RedisClient client = RedisClient.create(SERVER.uri());
    private final RedisFence fence = new RedisFence(client);

    @AfterEach
    void close() {
        client.del(key, stored);
        client.close();
    }

    private void write(long token, String value) {
        fence.execute(token, Command.SET, key, value);
    }

    /** A write with this token is refused, and changes nothing. */
    private void expectStale(long token, long highest) {
        String value = client.get(key);

        StaleTokenException refusal = assertThrows(StaleTokenException.class, () -> write(token, "late"));

        assertEquals(key, refusal.resource());
        assertEquals(token, refusal.token());
        assertEquals(OptionalLong.of(highest), refusal.highest());
        assertEquals(value, client.get(key));
        assertEquals(FencingToken.toText(highest), client.get(stored));
    }

    @Test
    void s3_aGreaterOrEqualTokenPassesAndASmallerOneIsRefused() {
        write(5, "100");
        write(7, "80");
        write(7, "70");

        expectStale(6, 7);
        expectStale(5, 7);

        assertEquals("70", client.get(key));
        write(8, "60");
        assertEquals("60", client.get(key));
    }

    @ParameterizedTest
    @ValueSource(longs = {9, 99, (1L << 53) + 1, TOKEN, Long.MAX_VALUE - 1})
    void s3_neighboringTokensAreOrderedHoweverLongTheyAre(long token) {
        write(token + 1, "80");

        expectStale(token, token + 1);
    }

    @Test
    void s3_aLateWriteFailsAfterALocalHandoff() throws Exception {
        try (LockClient locks = LockClient.builder(RedisBackend.connect(SERVER.uri()))
                .localHandoff(64, Duration.ofMinutes(1))
                .build()) {
            DistributedLock lock = locks.lock(key);
            LockHandle first = lock.acquire();
            CompletableFuture<LockHandle> waiter = lock.acquireAsync();
            Waiting.await(
                    "another caller waits", PATIENCE, () -> locks.usage().get(0).waiters() == 1);
            first.close();
            LockHandle second = waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertEquals(first.fencingToken() + 1, second.fencingToken(), "the lock was not handed off");
            write(second.fencingToken(), "80");

            expectStale(first.fencingToken(), second.fencingToken());

            second.close();
        }
    }

    @Test
    void s3_writesOfConcurrentWritersAreInTheOrderOfTheirTokens() {
        AtomicLong tokens = new AtomicLong(TOKEN);
        AtomicLong refused = new AtomicLong();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            writers.add(CompletableFuture.runAsync(() -> {
                for (int j = 0; j < 100; j++) {
                    long early = tokens.incrementAndGet();
                    long late = tokens.incrementAndGet();
                    for (long token : new long[] {late, early}) {
                        try {
                            fence.execute(token, Command.RPUSH, key, token);
                        } catch (StaleTokenException e) {
                            refused.incrementAndGet();
                        }
                    }
                }
            }));
        }

        writers.forEach(CompletableFuture::join);

        List<Long> accepted =
                client.lrange(key, 0, -1).stream().map(Long::valueOf).toList();
        List<Long> ordered = new ArrayList<>(accepted);
        Collections.sort(ordered);
        assertEquals(ordered, accepted);
        assertEquals(800, accepted.size() + refused.get());
        assertTrue(refused.get() >= 400, "an early token was accepted after the late one");
    }

    @Test
    void s3_aReadBringsItsToken() {
        write(5, "80");

        fence.execute(7, Command.GET, key);

        expectStale(6, 7);
    }

    @Test
    void s3_keysHaveFencesOfTheirOwn() {
        write(7, "80");

        fence.execute(5, Command.SET, key + "/other", "90");

        assertEquals("90", client.get(key + "/other"));
        client.del(key + "/other", "distlock:{" + key + "/other}:fence");
    }

    @Test
    void s3_theFirstKeyOfACommandWithSeveralIsFenced() {
        String other = key + "/other";
        client.sadd(key, "7", "8", "9");

        assertEquals(1L, fence.execute(7, Command.SMOVE, List.of(key, other), "7"));
        assertEquals(1L, fence.execute(7, Command.SMOVE, List.of(key, other), "8"));
        assertThrows(StaleTokenException.class, () -> fence.execute(6, Command.SMOVE, List.of(key, other), "9"));

        assertEquals(1, client.scard(key));
        assertEquals(2, client.scard(other));
        assertEquals(2L, fence.execute(7, Command.DEL, List.of(key, other)));
    }

    // Errors

    @Test
    void s3_aCommandThatFailsLeavesTheFormerToken() {
        write(5, "80");

        assertThrows(JedisDataException.class, () -> fence.execute(7, Command.HSET, key, "field", "value"));

        assertEquals(FencingToken.toText(5), client.get(stored));
        write(6, "70");
        assertEquals("70", client.get(key));
    }

    @Test
    void s3_aFirstCommandThatFailsLeavesNoTokenThatRefusesOthers() {
        client.set(key, "80");

        assertThrows(JedisDataException.class, () -> fence.execute(7, Command.HSET, key, "field", "value"));
        assertThrows(JedisDataException.class, () -> fence.execute(7, () -> "NOCOMMAND".getBytes(UTF_8), key));

        write(1, "70");
        assertEquals("70", client.get(key));
    }

    @Test
    void s3_noCommandRunsIfItsTokenCannotBeStored() {
        String user = UUID.randomUUID().toString();
        administer(client, Command.ACL, "SETUSER", user, "on", ">secret", "~*", "+@all", "-set");
        try (RedisClient restricted = RedisClient.create("redis://" + user + ":secret@" + SERVER.address())) {
            assertThrows(
                    JedisDataException.class,
                    () -> new RedisFence(restricted).execute(7, Command.HSET, key, "balance", "80"));
        } finally {
            administer(client, Command.ACL, "DELUSER", user);
        }

        assertNull(client.hget(key, "balance"));
        assertNull(client.get(stored));
    }

    /** Sends a command of an administrator. */
    private static void administer(RedisClient admin, ProtocolCommand command, Object... words) {
        CommandArguments call = new CommandArguments(command).addObjects(words);
        var unused = admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7", "000000000000000000x", "00000000000000000007"})
    void s3_aFenceWithoutATokenRefusesEachCommand(String value) {
        client.set(stored, value);

        JedisDataException refusal = assertThrows(JedisDataException.class, () -> write(7, "80"));

        assertTrue(refusal.getMessage().contains(stored), refusal.getMessage());
        assertNull(client.get(key));
        assertEquals(value, client.get(stored));
    }

    @Test
    void s3_aFenceThatIsNoTextRefusesEachCommand() {
        client.hset(stored, "field", "value");

        assertThrows(JedisDataException.class, () -> write(7, "80"));

        assertNull(client.get(key));
    }

    // Faults

    @Test
    void s3_aCommandWithoutAReplyIsAnErrorAndMayBeRepeatedWithItsToken() {
        write(5, "100");
        try (FaultProxy proxy = FaultProxy.to(SERVER);
                RedisClient disturbed = RedisClient.create("redis://" + proxy.address())) {
            RedisFence same = new RedisFence(disturbed);
            Fault lost = proxy.dropNextReply(FaultProxy.containing(key), FaultProxy.Then.CUT);

            assertThrows(JedisConnectionException.class, () -> same.execute(7, Command.SET, key, "80"));

            assertTrue(lost.hasStruck());
            expectStale(6, 7);
            same.execute(7, Command.SET, key, "80");
            assertEquals("80", client.get(key));
        }
    }

    @Test
    void s3_aServerThatHasLostTheScriptGetsItAgain() {
        write(7, "80");
        client.scriptFlush();

        expectStale(6, 7);

        client.scriptFlush();
        assertEquals(81L, fence.execute(7, Command.INCR, key));
        assertEquals("81", client.get(key));
    }

    @Test
    @Tag("slow")
    @ResourceLock("starts servers and processes")
    void s3_aRestartedServerRemembersTheTokenWithItsData() {
        try (RedisServer storing = RedisServer.start("appendonly yes", "appendfsync always")) {
            try (RedisClient before = RedisClient.create(storing.uri())) {
                new RedisFence(before).execute(7, Command.SET, key, "80");
            }
            storing.restart(true);
            try (RedisClient after = RedisClient.create(storing.uri())) {
                RedisFence same = new RedisFence(after);

                assertThrows(StaleTokenException.class, () -> same.execute(6, Command.SET, key, "late"));

                assertEquals("80", after.get(key));
            }
        }
    }

    @Test
    @Tag("slow")
    @ResourceLock("starts servers and processes")
    void s3_aReplicaRefusesCommandsAndKnowsTheTokenWhenItBecomesPrimary() {
        try (RedisServer primary = RedisServer.startProcess();
                RedisServer replica = RedisServer.startProcess("replicaof " + primary.host() + " " + primary.port());
                RedisClient toPrimary = RedisClient.create(primary.uri());
                RedisClient toReplica = RedisClient.create(replica.uri())) {
            new RedisFence(toPrimary).execute(7, Command.SET, key, "80");
            Waiting.await("the write is replicated", PATIENCE, () -> "80".equals(ifReady(toReplica)));
            RedisFence atReplica = new RedisFence(toReplica);

            assertThrows(JedisDataException.class, () -> atReplica.execute(8, Command.SET, key, "70"));
            administer(toReplica, Command.REPLICAOF, "NO", "ONE");

            assertThrows(StaleTokenException.class, () -> atReplica.execute(6, Command.SET, key, "late"));
            assertEquals("80", toReplica.get(key));
        }
    }

    /** Returns the value that a replica has, or null while it loads its data. */
    private @Nullable String ifReady(RedisClient replica) {
        try {
            return replica.get(key);
        } catch (JedisDataException e) {
            return null;
        }
    }

    // The keys of fences

    @ParameterizedTest
    @CsvSource({
        "account:7, distlock:{account:7}:fence",
        "{account}:7, distlock:{account}:7{fence}",
        "a{b}c, distlock:a{b}c{fence}",
        "a{b, distlock:{a{b}:fence",
    })
    void api_aFenceIsInTheSlotOfItsKey(String fenced, String name) {
        fence.execute(7, Command.SET, fenced, "80", "PX", 60_000);

        assertEquals(2, client.del(fenced, name));
        assertEquals(JedisClusterCRC16.getSlot(fenced), JedisClusterCRC16.getSlot(name));
    }

    @Test
    void api_thePrefixOfFencesCanBeChosen() {
        String name = "mine-{" + key + "}:fence";
        RedisFence mine = fence.keyPrefix("mine-").keepFor(Duration.ofMinutes(1));

        mine.execute(7, Command.SET, key, "80");

        assertEquals(FencingToken.toText(7), client.get(name));
        assertNull(client.get(stored));
        assertEquals(1, client.del(name));
    }

    @Test
    void v6_aTokenDoesNotExpireByDefault() {
        client.set(stored, FencingToken.toText(5), SetParams.setParams().px(60_000));

        write(7, "80");

        assertEquals(-1, client.pttl(stored));
    }

    @Test
    void v6_aTokenIsKeptForTheTimeAfterEachAcceptedCommand() {
        RedisFence forAnHour = fence.keepFor(Duration.ofHours(1));

        forAnHour.execute(7, Command.SET, key, "80");
        expectHourLeft();
        client.pexpire(stored, 60_000);
        forAnHour.execute(7, Command.SET, key, "70");
        expectHourLeft();

        client.pexpire(stored, 60_000);
        assertThrows(StaleTokenException.class, () -> forAnHour.execute(6, Command.SET, key, "late"));
        assertTrue(client.pttl(stored) <= 60_000, "a refused command keeps the token for longer");
        assertThrows(JedisDataException.class, () -> forAnHour.execute(8, Command.HSET, key, "field", "value"));
        assertEquals(FencingToken.toText(7), client.get(stored));
        assertNotEquals(-1, client.pttl(stored));
    }

    private void expectHourLeft() {
        long left = client.pttl(stored);
        assertTrue(left > 3_600_000 - PATIENCE.toMillis() && left <= 3_600_000, "kept for " + left + " ms");
    }

    // Arguments and replies

    @Test
    void api_repliesAreThoseOfTheCommand() {
        assertArrayEquals("OK".getBytes(UTF_8), (byte[]) fence.execute(7, Command.SET, key, new byte[] {0, -1}));
        assertArrayEquals(new byte[] {0, -1}, (byte[]) fence.execute(7, Command.GET, key));
        assertEquals(1L, fence.execute(7, Command.DEL, key));
        assertNull(fence.execute(7, Command.GET, key));
        assertEquals(42L, fence.execute(7, Command.INCRBY, key, 42));
        assertEquals(1L, fence.execute(7, Command.DEL, key));
        assertEquals(2L, fence.execute(7, Command.RPUSH, key, "a", "b"));
        assertEquals(
                2,
                assertInstanceOf(List.class, fence.execute(7, Command.LRANGE, key, 0, -1))
                        .size());
    }

    @Test
    void api_aCommandHasUpTo4096Arguments() {
        Object[] most = Collections.nCopies(4_095, "x").toArray();
        Object[] more = Collections.nCopies(4_096, "x").toArray();

        assertEquals(4_095L, fence.execute(7, Command.RPUSH, key, most));
        String words = "arguments must be at most 4096 with the keys, but are 4097";
        expectRefusal(words, () -> fence.execute(7, Command.RPUSH, key, more));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_aTokenIsPositive(long token) {
        expectRefusal("token must be positive", () -> write(token, "80"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a}b", "}a", "{}a", "a{}b"})
    void api_aKeyHasAFenceInItsSlot(String unfit) {
        expectRefusal("key must not be empty, nor have", () -> fence.execute(7, Command.SET, unfit, "80"));
    }

    @Test
    void api_argumentsAreChecked() {
        expectRefusal("keys must not be empty", () -> fence.execute(7, Command.DEL, List.of()));
        expectRefusal("newPrefix has a brace", () -> fence.keyPrefix("{a}:"));
        expectRefusal("newPrefix has a brace", () -> fence.keyPrefix("a\t"));
        expectRefusal("time must be from 1 s", () -> fence.keepFor(Duration.ofMillis(999)));
        expectRefusal("time must be from 1 s", () -> fence.keepFor(Duration.ofDays(3_651)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT1S", "P3650D"})
    void v6_aTokenIsKeptForASecondToTenYears(Duration time) {
        assertEquals("OK", new String((byte[]) fence.keepFor(time).execute(7, Command.SET, key, "80"), UTF_8));
    }

    private static void expectRefusal(String words, Executable call) {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, call);
        assertTrue(refusal.getMessage().startsWith(words), refusal.getMessage());
    }
}
