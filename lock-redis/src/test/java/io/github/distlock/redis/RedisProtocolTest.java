package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.providers.PooledConnectionProvider;
import redis.clients.jedis.util.Pool;

/** The behavior that is specific to Redis: requests, keys, and other clients of the server. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class RedisProtocolTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final SetParams FOR_TEN_SECONDS = SetParams.setParams().nx().px(10_000);
    private static final String COMPARE_AND_DELETE =
            "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

    private static RedisServer server;
    private static RedisClient admin;

    private LockClient locks;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        admin = administrator();
    }

    /** Its pool does not check idle connections every 30 s, so that no PING of it is counted as a command. */
    private static RedisClient administrator() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setTimeBetweenEvictionRuns(Duration.ofSeconds(-1));
        return RedisClient.builder()
                .hostAndPort(server.host(), server.port())
                .poolConfig(pool)
                .build();
    }

    @AfterAll
    static void stop() {
        admin.close();
        server.close();
    }

    @BeforeEach
    void connect() {
        admin.flushAll();
        locks = LockClient.create(RedisBackend.connect(server.uri()));
    }

    @AfterEach
    void close() {
        locks.close();
    }

    private static long scriptCalls() {
        return counted("commandstats", "cmdstat_eval(?:sha)?:calls=");
    }

    /** Returns how many commands the server has executed, including those of scripts, without those of this class. */
    private static long commands() {
        return counted("commandstats", "cmdstat_(?!info|config).*:calls=");
    }

    private static long failedScriptCalls() {
        return counted("commandstats", "cmdstat_eval(?:sha)?:.*failed_calls=");
    }

    /** Returns the sum of all numbers that follow a text in a section of the server's statistics. */
    private static long counted(String section, String text) {
        Matcher numbers = Pattern.compile(text + "(\\d+)").matcher(admin.info(section));
        long sum = 0;
        while (numbers.find()) {
            sum += Long.parseLong(numbers.group(1));
        }
        return sum;
    }

    @CanIgnoreReturnValue
    private static Object admin(Command command, String... arguments) {
        CommandArguments call = new CommandArguments(command);
        for (String argument : arguments) {
            call.add(argument);
        }
        return admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    private static int subscriptions() {
        return ((List<?>) admin(Command.PUBSUB, "CHANNELS", "distlock:*")).size();
    }

    private static long queueEntries(String name) {
        return admin.zcard("distlock:{distlock:" + name + "}:queue");
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }

    private static LockHandle get(CompletableFuture<LockHandle> acquired) throws Exception {
        return acquired.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Test
    void api_acquireAndReleaseTakeOneRequestEach() throws Exception {
        expectOneRequestEach(locks.lock("count"));
    }

    @Test
    void api_acquireAndReleaseTakeOneRequestEachOverASuppliedClient() throws Exception {
        try (RedisClient supplied = RedisClient.create(server.uri());
                LockClient other = LockClient.create(RedisBackend.of(supplied))) {
            expectOneRequestEach(other.lock("supplied"));
        }
    }

    private static void expectOneRequestEach(DistributedLock lock) throws Exception {
        lock.acquire().close();
        long before = scriptCalls();
        LockHandle held = lock.acquire();
        assertEquals(1, scriptCalls() - before, "requests of an acquire");
        held.release();
        assertEquals(2, scriptCalls() - before, "requests of an acquire and a release");
    }

    @Test
    void api_acquireAndReleaseTakeSevenCommandsOfTheServer() throws Exception {
        assertEquals(7, commandsOfACycle(locks.lock("count")));
    }

    @Test
    void s7_aSuppliedClientWithAVisiblePoolNeedsNoMoreCommandsAndLeavesNoTombstone() throws Exception {
        try (RedisClient supplied = RedisClient.create(server.uri());
                LockClient other = LockClient.create(RedisBackend.of(supplied))) {
            assertEquals(7, commandsOfACycle(other.lock("supplied")));
            assertEquals(0, queueEntries("supplied"));
        }
    }

    @Test
    void api_aLoneReaderAndALonePermitTakeFifteenCommandsOfTheServer() throws Exception {
        assertEquals(15, commandsOfACycle(locks.readWriteLock("read").readLock()));
        assertEquals(15, commandsOfACycle(locks.semaphore("permits", 4).permit()));
    }

    @Test
    void api_aLoneWriterTakesTwelveCommandsOfTheServer() throws Exception {
        assertEquals(12, commandsOfACycle(locks.readWriteLock("write").writeLock()));
    }

    private static double commandsOfACycle(DistributedLock lock) throws Exception {
        lock.acquire().close();
        long before = commands();
        int cycles = 20;
        for (int i = 0; i < cycles; i++) {
            lock.acquire().close();
        }
        return (double) (commands() - before) / cycles;
    }

    @Test
    void api_aRenewalTakesFourCommandsOfTheServer() throws Exception {
        try (LockHandle held = locks.lock("count", LockOptions.defaults().renewedLease(Duration.ofSeconds(6)))
                .acquire()) {
            awaitRenewal();

            awaitRenewal();

            assertEquals(4, commands(), "EVALSHA, GET, PTTL and PEXPIRE");
            assertTrue(held.isHeld());
        }
    }

    /** Waits for the next renewal; the first one also connects and sends the script. */
    private static void awaitRenewal() {
        admin(Command.CONFIG, "RESETSTAT");
        await("a renewal", () -> counted("commandstats", "cmdstat_pexpire:calls=") > 0);
    }

    @Test
    void v3_aHandoffNeedsNoRequestOfItsReceiver() throws Exception {
        try (LockClient other = LockClient.create(RedisBackend.connect(server.uri()))) {
            LockHandle held = locks.lock("handoff").acquire();
            long asked = scriptCalls();
            CompletableFuture<LockHandle> waiting = other.lock("handoff").acquireAsync();
            await(
                    "the waiter has sent two requests, and one after it subscribed",
                    () -> scriptCalls() - asked >= 3 && subscriptions() == 1);
            long before = scriptCalls();
            held.release();
            LockHandle received = get(waiting);
            assertTrue(received.isHeld());
            assertTrue(scriptCalls() - before <= 3, "two requests of the release, and at most a heartbeat");
            await("the receiver renews", () -> admin.pttl("distlock:handoff") > 20_000);
            received.close();
        }
    }

    @Test
    void api_aThousandWaitingThreadsOfAClientSendOneRequestPerSecond() throws Exception {
        int waiters = 1_000;
        AtomicInteger waiting = new AtomicInteger();
        LockListener counter = new LockListener() {
            @Override
            public void waiting(LockEvent event) {
                waiting.incrementAndGet();
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(waiters);
        try (LockHandle held = locks.lock("many", LockOptions.defaults().renewedLease(Duration.ofHours(1)))
                        .acquire();
                LockClient other = LockClient.builder(RedisBackend.connect(server.uri()))
                        .listener(counter)
                        .build()) {
            DistributedLock lock = other.lock("many");
            for (int i = 0; i < waiters; i++) {
                var unused = threads.submit(lock::acquire);
            }
            await("all wait", () -> waiting.get() == waiters && subscriptions() == 1);
            Waiting.letPass(Duration.ofSeconds(1)); // In this time, the waiter asks once more after it has subscribed.

            await("at most one request per second", () -> requestsBeyond(Duration.ofSeconds(3), 1) <= 1.5);

            assertTrue(held.isHeld());
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void v2_aThousandWaitersBehindAForeignHolderCostTheServerOnePoller() throws Exception {
        int waiters = 1_000;
        admin.set("distlock:foreign", "theirs", SetParams.setParams().px(120_000));
        for (int i = 0; i < waiters; i++) {
            var unused = locks.lock("foreign", LockOptions.defaults().fair()).acquireAsync();
        }
        await("all wait", () -> queueEntries("foreign") == waiters);
        int heartbeats = 16 + 67; // 16 waiters each second, and one behind n others each n/16 s
        int polls = 40;

        await(
                "polls of one waiter and heartbeats alone",
                () -> requestsBeyond(Duration.ofSeconds(1), heartbeats + polls) <= 16);
    }

    /** Returns how many requests beyond a number per second the server gets within some time. */
    private static double requestsBeyond(Duration time, int perSecond) {
        long begunAt = System.nanoTime();
        long before = scriptCalls();
        Waiting.letPass(time);
        return scriptCalls() - before - perSecond * (System.nanoTime() - begunAt) / 1e9;
    }

    @Test
    void s1_ourClientsAndSetNxClientsExcludeEachOther() throws Exception {
        LockHandle held = locks.lock("plain").acquire();
        assertNull(admin.set("distlock:plain", "theirs", FOR_TEN_SECONDS), "theirs while ours is held");
        held.close();
        assertEquals("OK", admin.set("distlock:plain", "theirs", FOR_TEN_SECONDS), "theirs when ours is released");
        assertTrue(locks.lock("plain").tryAcquire().isEmpty(), "ours while theirs is held");
        CompletableFuture<LockHandle> waiting = locks.lock("plain").acquireAsync();
        await("ours waits while theirs is held", () -> queueEntries("plain") == 1);
        assertFalse(waiting.isDone());
        assertEquals(1L, admin.eval(COMPARE_AND_DELETE, List.of("distlock:plain"), List.of("theirs")));
        LockHandle ours = get(waiting);
        assertEquals(
                0L,
                admin.eval(COMPARE_AND_DELETE, List.of("distlock:plain"), List.of("theirs")),
                "their late release does not delete ours");
        ours.close();
        assertFalse(admin.exists("distlock:plain"));
    }

    @Test
    void s1_theMappingOfKeysDecidesTheKey() throws Exception {
        try (LockClient mapped = LockClient.create(RedisBackend.builder(server.uri())
                .keys(name -> "legacy:{" + name + "}")
                .build())) {
            LockHandle held = mapped.lock("job").acquire();
            assertTrue(admin.exists("legacy:{job}"));
            held.close();
            assertFalse(admin.exists("legacy:{job}"));
        }
    }

    @Test
    void api_anInvalidMappedKeyIsRefusedWithTheNameOfTheLock() {
        try (LockClient mapped = LockClient.create(
                RedisBackend.builder(server.uri()).keys(name -> "a}b").build())) {
            LockException refused = assertThrows(
                    LockException.class, () -> mapped.lock("the job").acquire());
            assertTrue(refused.getMessage().contains("the job"), refused.getMessage());
        }
    }

    @Test
    void v4_aTryAfterTheServerHasClosedAllConnectionsSucceeds() throws Exception {
        List<LockHandle> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            held.add(locks.lock("idle" + i).acquire());
        }
        held.forEach(LockHandle::close);
        server.kill();
        server.restart(false);
        admin.close();
        admin = administrator();
        locks.lock("idle").tryAcquire().orElseThrow().close();
    }

    @Test
    void v6_onlyFencingTokensRemainAndTheyExpire() throws Exception {
        for (int i = 0; i < 20; i++) {
            locks.lock("cycle" + i).acquire().close();
        }
        try (LockClient other = LockClient.create(RedisBackend.connect(server.uri()))) {
            LockHandle held = locks.lock("contended").acquire();
            CompletableFuture<LockHandle> waiting = other.lock("contended").acquireAsync();
            await("another client waits", () -> queueEntries("contended") == 1);
            held.close();
            get(waiting).close();
        }
        Set<String> keys = admin.keys("*");
        assertEquals(21, keys.size(), "one key per name: " + keys);
        assertTrue(keys.stream().allMatch(key -> key.endsWith(":token") && admin.pttl(key) > 0), keys.toString());
    }

    @Test
    void v6_theQueueEntryOfADeadWaiterExpiresWithoutOtherContenders() throws Exception {
        try (FaultProxy network = FaultProxy.to(server);
                LockClient dying = LockClient.create(RedisBackend.connect("redis://" + network.address()))) {
            admin.set("distlock:dead", "a plain client's");
            CompletableFuture<LockHandle> waiter = dying.lock("dead").acquireAsync();
            await("a queue entry", () -> queueEntries("dead") == 1);

            network.silence();
            admin.del("distlock:dead");

            await(
                    "no queue entry",
                    () -> admin.exists("distlock:{distlock:dead}:queue", "distlock:{distlock:dead}:alive") == 0);
            assertFalse(waiter.isDone());
        }
    }

    @Test
    void api_missingPermissionsFailAtOnceWithTheServersMessage() {
        admin(Command.ACL, "SETUSER", "weak", "on", ">secret", "~*", "+@all", "-evalsha", "-eval");
        String uri = "redis://weak:secret@" + server.address();
        try (LockClient weak = LockClient.create(RedisBackend.connect(uri))) {
            LockException refused =
                    assertThrows(LockException.class, () -> weak.lock("rights").acquire());
            assertTrue(refused.getMessage().contains("evalsha"), refused.getMessage());
            assertTrue(refused.getMessage().contains("rights"), refused.getMessage());
        }
    }

    @Test
    void api_thePermissionsThatTheDocumentationListsSuffice() throws Exception {
        List<String> user = new ArrayList<>(List.of("SETUSER", "locks"));
        user.addAll(DocumentedRights.of("distlock:"));
        admin(Command.ACL, user.toArray(String[]::new));
        String uri = "redis://locks:secret@" + server.address();
        try (LockClient one = LockClient.create(RedisBackend.connect(uri));
                LockClient two = LockClient.create(RedisBackend.connect(uri))) {
            LockHandle held = one.lock("permitted").acquire();
            CompletableFuture<LockHandle> waiting = two.lock("permitted").acquireAsync();
            await("another client waits and listens", () -> queueEntries("permitted") == 1 && subscriptions() == 1);

            held.close();

            LockHandle next = get(waiting);
            await("a renewal", () -> admin.pttl("distlock:permitted") > 20_000);
            assertEquals(1, one.inspector().inspect("permitted").holders().size());
            assertEquals(1, one.inspector().forceRelease("permitted").size());
            assertEquals(LockHandle.Release.LOST, next.release());
        }
    }

    @Test
    void api_aWrongPasswordFailsAtOnceWithTheServersMessage() {
        String uri = "redis://nobody:wrong@" + server.address();
        try (LockClient stranger = LockClient.create(RedisBackend.connect(uri))) {
            LockException refused = assertThrows(
                    LockException.class, () -> stranger.lock("rights").acquire());
            assertTrue(refused.getMessage().contains("WRONGPASS"), refused.getMessage());
        }
    }

    @Test
    void v2_waitersAcquireTheLockWithoutPermissionToPublish() throws Exception {
        admin(Command.ACL, "SETUSER", "mute", "on", ">secret", "~*", "resetchannels", "+@all");
        String uri = "redis://mute:secret@" + server.address();
        try (LockClient one = LockClient.create(RedisBackend.connect(uri));
                LockClient two = LockClient.create(RedisBackend.connect(uri))) {
            LockHandle held = one.lock("mute").acquire();
            CompletableFuture<LockHandle> waiting = two.lock("mute").acquireAsync();
            await("another client waits", () -> queueEntries("mute") == 1);
            held.close();
            get(waiting).close();
        }
    }

    @Test
    void v2_aWaiterAcquiresTheLockAfterTheServerWasOutOfMemory() throws Exception {
        LockHandle held = locks.lock("memory").acquire();
        admin.configSet("maxmemory", "1");
        try {
            long before = failedScriptCalls();
            CompletableFuture<LockHandle> waiting = locks.lock("more").acquireAsync();
            await("the server refuses the request", () -> failedScriptCalls() > before);
            assertFalse(waiting.isDone());
            LockException full =
                    assertThrows(LockException.class, () -> locks.lock("other").tryAcquire());
            assertTrue(full.getMessage().contains("OOM"), full.getMessage());
            assertEquals(LockHandle.Release.RELEASED, held.release(), "released while the server is out of memory");
            admin.configSet("maxmemory", "0");
            get(waiting).close();
        } finally {
            admin.configSet("maxmemory", "0");
        }
    }

    @Test
    void v4_aTryReturnsInTimeIfTheHandshakeIsSlow() throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                LockClient slow = LockClient.create(RedisBackend.connect("redis://" + link.address()))) {
            link.delayReplies(Duration.ofMillis(1_500));
            long begin = System.nanoTime();
            LockException late =
                    assertThrows(LockException.class, () -> slow.lock("slow").tryAcquire());
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            assertTrue(millis < 1_250 + 500, "returned after " + millis + " ms");
            assertTrue(late.getMessage().contains("not connected in time"), late.getMessage());
            link.heal();
            await(
                    "a client with a late connection acquires the lock",
                    () -> slow.lock("slow").tryAcquire().isPresent());
        }
    }

    @Test
    void v8_holdsAreRenewedWhileTheServerAcceptsNoMoreConnections() throws Exception {
        try (LockHandle held = locks.lock("crowded", LockOptions.defaults().renewedLease(Duration.ofSeconds(6)))
                .acquire()) {
            admin.configSet("maxclients", "1");
            try {
                awaitRenewal();
                awaitRenewal();
                assertTrue(held.isHeld());
            } finally {
                admin.configSet("maxclients", "10000");
            }
        }
    }

    @Test
    void api_aServerThatAcceptsNoMoreConnectionsSaysSo() throws Exception {
        admin.configSet("maxclients", "1");
        try (LockClient late = LockClient.create(RedisBackend.connect(server.uri()))) {
            LockException full =
                    assertThrows(LockException.class, () -> late.lock("crowded").tryAcquire());
            assertTrue(full.getMessage().contains("max number of clients"), full.getMessage());
        } finally {
            admin.configSet("maxclients", "10000");
        }
    }

    @Test
    void api_theUriTakesPrecedenceOverTheConfiguration() {
        admin(Command.ACL, "SETUSER", "reader", "on", ">secret", "~*", "+@read");
        RedisBackend backend = RedisBackend.builder("redis://reader:secret@" + server.address())
                .clientConfig(DefaultJedisClientConfig.builder().build())
                .build();
        try (LockClient reader = LockClient.create(backend)) {
            assertThrows(LockException.class, () -> reader.lock("rights").acquire());
        }
    }

    @Test
    void v5_aSuppliedClientWithoutPermissionToSubscribeRemainsUsable() throws Exception {
        admin(Command.ACL, "SETUSER", "mute", "on", ">secret", "~*", "resetchannels", "+@all");
        try (RedisClient supplied = RedisClient.create("redis://mute:secret@" + server.address())) {
            LockHandle held = locks.lock("supplied").acquire();
            try (LockClient other = LockClient.create(RedisBackend.of(supplied))) {
                assertTrue(
                        other.lock("supplied").tryAcquire(Duration.ofSeconds(1)).isEmpty());
            }
            held.close();
            for (int i = 0; i < 20; i++) {
                supplied.set("key" + i, "value" + i);
                assertEquals("value" + i, supplied.get("key" + i));
            }
        }
    }

    @Test
    void s6_aLeaseIsRoundedUpToTheServersUnit() throws Exception {
        Duration lease = Duration.ofSeconds(100).plusNanos(1);
        DistributedLock lock = locks.lock("odd", LockOptions.defaults().fixedLease(lease));
        await("the key lives longer than the lease in whole milliseconds", () -> {
            try (LockHandle held = lock.acquire()) {
                return admin.pttl("distlock:odd") > lease.toMillis();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void s1_aReplyToAnotherRequestDoesNotCountAsGrant() throws Exception {
        LockHandle held = locks.lock("supplied").acquire();
        try (RedisClient supplied = RedisClient.create(server.uri());
                LockClient other = LockClient.create(RedisBackend.of(supplied))) {
            leaveAReplyUnread(supplied.getPool());

            assertTrue(other.lock("supplied").tryAcquire().isEmpty());
        }
        assertTrue(held.isHeld());
        held.close();
    }

    @Test
    void s1_aReplyToAnotherRequestDoesNotCountAsGrantOfAClientWhoseConnectionsAreNotVisible() throws Exception {
        LockHandle held = locks.lock("supplied").acquire();
        PooledConnectionProvider connections = new PooledConnectionProvider(HostAndPort.from(server.address()));
        try (UnifiedJedis supplied = ContenderTest.repeatingClient(connections);
                LockClient other = LockClient.builder(RedisBackend.of(supplied))
                        .shutdownTimeout(Duration.ZERO)
                        .build()) {
            leaveAReplyUnread(connections.getPool());

            LockException unknown = assertThrows(
                    LockException.class, () -> other.lock("supplied").tryAcquire());

            assertTrue(unknown.getMessage().contains("another request"), unknown.getMessage());
        }
        assertTrue(held.isHeld());
        held.close();
    }

    /** Leaves a connection in the pool whose next user reads the reply to another request. */
    private static void leaveAReplyUnread(Pool<Connection> pool) {
        try (Connection used = pool.getResource()) {
            used.sendCommand(Command.EVAL, "return { 'another', { 1, '5' } }", "0");
        }
    }

    @Test
    void v5_aSuppliedClientStaysOpen() throws Exception {
        try (RedisClient supplied = RedisClient.create(server.uri())) {
            try (LockClient other = LockClient.create(RedisBackend.of(supplied))) {
                other.lock("supplied").acquire().close();
            }
            assertEquals("PONG", supplied.ping());
        }
    }
}
