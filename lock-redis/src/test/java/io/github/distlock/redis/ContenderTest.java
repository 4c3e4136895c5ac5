package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.ZRangeParams;
import redis.clients.jedis.providers.PooledConnectionProvider;

/** Contenders for one lock of a real server, without an engine: they send only what a test asks them to send. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ContenderTest {
    static final Duration LEASE = Duration.ofSeconds(30);
    static final Duration PATIENCE = Duration.ofSeconds(10);
    /** How long a token outlives its lease by default. */
    static final Duration TOKEN_KEPT = Duration.ofHours(1);
    /** Tombstones have scores from here. */
    static final double TOMBSTONES = 8e15;

    static final RedisServer SERVER = RedisFixture.Shared.SERVER;

    final String name = UUID.randomUUID().toString();
    final String lock = "distlock:" + name;
    final String token = "distlock:{" + lock + "}:token";
    final String queue = "distlock:{" + lock + "}:queue";
    final String alive = "distlock:{" + lock + "}:alive";
    final String holders = "distlock:{" + lock + "}:holders";

    final RedisClient admin = RedisClient.create(SERVER.uri());
    final RedisBackend one = started(RedisBackend.connect(SERVER.uri()));
    final RedisBackend other = started(RedisBackend.connect(SERVER.uri()));
    private final UnifiedJedis repeatingClient =
            repeatingClient(new PooledConnectionProvider(HostAndPort.from(SERVER.address())));
    /** Its client may send a request twice, so that each release and withdrawal leaves a tombstone. */
    final RedisBackend repeating = started(RedisBackend.of(repeatingClient));

    /** Its rights can be changed. */
    final RedisBackend restricted = started(RedisBackend.connect("redis://" + name + ":secret@" + SERVER.address()));

    /** Makes a client that repeats failed requests, and whose pool is not visible. */
    @SuppressWarnings("deprecation") // Applications still make such clients.
    static UnifiedJedis repeatingClient(PooledConnectionProvider connections) {
        return new UnifiedJedis(connections, 3, Duration.ofSeconds(1));
    }

    /** Starts a backend as an engine does. */
    static RedisBackend started(RedisBackend backend) {
        return TestContender.started(backend);
    }

    @BeforeEach
    void createUser() {
        changeRights("on", ">secret", "~*", "&*", "+@all");
    }

    @AfterEach
    void close() {
        Stream.of(one, other, repeating, restricted).forEach(RedisBackend::close);
        administer("DELUSER", name);
        repeatingClient.close();
        admin.close();
    }

    /** Of the user of {@link #restricted}, as {@code ACL SETUSER} takes them. */
    final void changeRights(String... rights) {
        administer(Stream.concat(Stream.of("SETUSER", name), Stream.of(rights)).toArray(String[]::new));
    }

    /** Sends an {@code ACL} command, and returns its reply. */
    @CanIgnoreReturnValue
    final Object administer(String... words) {
        CommandArguments call = new CommandArguments(Command.ACL).addObjects((Object[]) words);
        return admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    final TestContender waiting(RedisBackend backend) {
        return TestContender.waiting(backend, name, LEASE);
    }

    final TestContender trying(RedisBackend backend) {
        return TestContender.trying(backend, name, LEASE);
    }

    @CanIgnoreReturnValue
    final TestContender queuedWaiter(RedisBackend backend) throws InterruptedException {
        TestContender waiter = waiting(backend);
        waiter.findBusy();
        return waiter;
    }

    static void release(Grant held) throws InterruptedException {
        assertEquals(Grant.Release.RELEASED, held.release(TestContender.deadline()));
    }

    /** Adds entries of another client before all that contenders add, alive for a minute. */
    final void addEntries(String modeAndCount, int number) {
        double aliveUntil = serverMicros() + 60_000_000.0;
        Map<String, Double> added = new HashMap<>();
        addDeadEntries(modeAndCount, number).forEach(entry -> added.put(entry, aliveUntil));
        admin.zadd(alive, added);
    }

    /** Adds such entries of a client that is silent. */
    @CanIgnoreReturnValue
    final Set<String> addDeadEntries(String modeAndCount, int number) {
        Map<String, Double> added = new HashMap<>();
        for (int i = 1; i <= number; i++) {
            added.put("1\t" + modeAndCount + "\tvalue" + i + "\tchannel\t3000\towner", (double) i);
        }
        admin.zadd(queue, added);
        return added.keySet();
    }

    /** Returns for how many milliseconds a waiter still counts as alive. */
    final double aliveFor(TestContender waiter) {
        return (admin.zscore(alive, entry(waiter)) - serverMicros()) / 1_000;
    }

    /** Lets the last heartbeat of a waiter be too old. */
    final void goSilent(TestContender waiter) {
        admin.zadd(alive, 1, entry(waiter));
    }

    final String entry(TestContender waiter) {
        return entries()
                .filter(entry -> entry.split("\t", 5)[3].equals(waiter.value()))
                .findFirst()
                .orElseThrow();
    }

    private Stream<String> entries() {
        return admin.zrange(queue, ZRangeParams.zrangeByScoreParams(0, TOMBSTONES - 1)).stream();
    }

    /** The base of the last grant, as the server remembers it. */
    final long lastBase() {
        return Long.parseLong(admin.get(token).split("\\s", 2)[0]);
    }

    final long serverMicros() {
        return (Long) admin.eval("local clock = redis.call('TIME') return clock[1] * 1000000 + clock[2]");
    }

    final void expectHolder(TestContender holder) {
        assertEquals(holder.value(), admin.get(lock).split("\t", 2)[0]);
    }

    /** Its record says that the release need not serve the queue. */
    final void expectHolderWithoutWaiters(TestContender holder) {
        assertEquals(holder.record(lastBase()), admin.get(lock));
    }

    /** Its record says that the release has to serve the queue. */
    final void expectHolderWithWaiters(TestContender holder) {
        assertEquals(holder.record(lastBase()) + "\n", admin.get(lock));
    }

    /** The token says that an acquire has to look at the queue. */
    final void expectTokenWithQueue() {
        assertEquals(lastBase() + "\n", admin.get(token));
    }

    /** The token says that an acquire need not look at the queue. */
    final void expectTokenWithoutQueue() {
        assertEquals(Long.toString(lastBase()), admin.get(token));
    }

    final void expectQueued(TestContender... contenders) {
        List<String> expected = Stream.of(contenders).map(TestContender::value).toList();
        assertEquals(expected, entries().map(entry -> entry.split("\t", 5)[3]).toList());
        assertEquals(expected.size(), admin.zcard(alive), "each waiter has a heartbeat");
    }

    /** Expects that an inspector sees these waiters, who wait since now by the server's clock. */
    final void expectWaiters(LockStatus status, TestContender... waiters) {
        Instant now = Instant.ofEpochMilli(serverMicros() / 1_000);
        assertEquals(
                Stream.of(waiters)
                        .map(waiter -> waiter.owner() + ", " + waiter.mode())
                        .toList(),
                status.waiters().stream()
                        .map(seen -> seen.owner() + ", " + seen.mode())
                        .toList());
        assertTrue(
                status.waiters().stream()
                        .allMatch(seen ->
                                Duration.between(seen.since(), now).abs().compareTo(PATIENCE) < 0),
                status.toString());
    }

    /** Ends the hold with a base, and returns what was ended. */
    static List<LockStatus.Holder> forceRelease(RedisBackend by, String name, long base) throws InterruptedException {
        return by.forceRelease(name, OptionalLong.of(base), TestContender.deadline());
    }

    final void expectTimeToLive(String key, long millis) {
        long left = admin.pttl(key);
        long least = Math.max(0, millis - PATIENCE.toMillis());
        assertTrue(left > least && left <= millis, key + " is kept for " + left + " ms");
    }

    static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }
}
