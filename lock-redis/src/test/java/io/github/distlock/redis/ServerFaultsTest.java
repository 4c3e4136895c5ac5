package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockListener;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.LossReason;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/** What the users of a client see when an operator or another program does something to their server. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class ServerFaultsTest {
    private static final Duration LEASE = Duration.ofSeconds(3);
    /** A third of a lease until the renewal, and a second until it is answered. */
    private static final Duration UNTIL_LOST = LEASE.dividedBy(3).plusSeconds(1);

    private static final Duration SLACK = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);
    /** So long that only a fault that lasts ends a hold. */
    private static final LockOptions LONG = LockOptions.defaults().renewedLease(LEASE.multipliedBy(2));

    /** Longer than a server takes to load the data of a test, also on a busy machine. */
    private static final LockOptions LONGER = LockOptions.defaults().renewedLease(LEASE.multipliedBy(4));

    private static RedisServer server;
    private static RedisClient admin;

    private final String name = UUID.randomUUID().toString();
    private final String key = "distlock:" + name;
    private final AtomicInteger renewals = new AtomicInteger();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final LockClient locks = client(RedisBackend.connect(server.uri()));
    private final LockClient other = client(RedisBackend.connect(server.uri()));

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        admin = RedisClient.create(server.uri());
    }

    @AfterAll
    static void stop() {
        admin.close();
        server.close();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        admin.flushAll();
    }

    private LockClient client(RedisBackend backend) {
        LockClient client = LockClient.builder(backend)
                .listener(new LockListener() {
                    @Override
                    public void renewed(LockEvent event) {
                        renewals.incrementAndGet();
                    }
                })
                .build();
        opened.add(client);
        return client;
    }

    private static void administer(String... words) {
        CommandArguments call = new CommandArguments(() -> words[0].getBytes(StandardCharsets.US_ASCII));
        call.addObjects(Stream.of(words).skip(1).toArray());
        var unused = admin.executeCommand(new CommandObject<>(call, BuilderFactory.RAW_OBJECT));
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }

    private static void awaitState(State state, LockHandle held) {
        await(state.toString(), () -> held.state() == state);
    }

    private void awaitRenewals(int count) {
        int before = renewals.get();
        await("renewals", () -> renewals.get() >= before + count);
    }

    private static LockHandle get(CompletableFuture<LockHandle> acquired) throws Exception {
        return acquired.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<LockHandle> queued(LockClient client, LockOptions options) {
        CompletableFuture<LockHandle> waiter = client.lock(name, options).acquireAsync();
        await("it waits", () -> admin.zcard("distlock:{" + key + "}:queue") == 1);
        return waiter;
    }

    private static Queue<LockLoss> losses(LockHandle held) {
        Queue<LockLoss> losses = new ConcurrentLinkedQueue<>();
        held.onLost(losses::add);
        return losses;
    }

    private static long statistic(String section, String field) {
        Matcher number = Pattern.compile(field + "(\\d+)").matcher(admin.info(section));
        long sum = 0;
        while (number.find()) {
            sum += Long.parseLong(number.group(1));
        }
        return sum;
    }

    /** Tokens and tombstones expire by themselves. */
    private static void expectNothingLeft() {
        await(
                "no hold and no waiter is left",
                () -> admin.keys("*").stream().allMatch(left -> left.endsWith(":token") || left.endsWith(":queue")));
    }

    // Lost data

    @ParameterizedTest
    @ValueSource(strings = {"FLUSHALL", "DEL key", "PEXPIRE key 1"})
    void s6_aHoldWhoseKeyIsGoneIsLostAfterItsNextRenewal(String command) throws Exception {
        LockHandle held = locks.lock(name, OPTIONS).acquire();
        Queue<LockLoss> losses = losses(held);
        CompletableFuture<LockHandle> waiting = queued(other, OPTIONS);

        administer(command.replace("key", key).split(" ", -1));

        Waiting.await("the loss is reported", UNTIL_LOST.plus(SLACK), () -> !losses.isEmpty());
        assertEquals(LossReason.GONE, losses.element().reason());
        LockHandle next = get(waiting);
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        assertEquals(Release.LOST, held.release());
        assertEquals(Release.RELEASED, next.release());
    }

    @Test
    void s6_aHoldWhoseKeyIsEvictedIsLostAfterItsNextRenewal() throws Exception {
        LockHandle held = locks.lock(name, OPTIONS).acquire();
        Queue<LockLoss> losses = losses(held);

        administer("CONFIG", "SET", "maxmemory-policy", "volatile-ttl");
        try {
            administer("CONFIG", "SET", "maxmemory", Long.toString(statistic("memory", "used_memory:") + 2_000_000));
            for (int i = 0; admin.exists(key); i++) {
                admin.set(
                        "filler" + i, "x".repeat(100_000), SetParams.setParams().ex(36_000));
            }
            Waiting.await("the loss is reported", UNTIL_LOST.plus(SLACK), () -> !losses.isEmpty());
        } finally {
            administer("CONFIG", "SET", "maxmemory", "0");
            administer("CONFIG", "SET", "maxmemory-policy", "noeviction");
        }

        assertEquals(LossReason.GONE, losses.element().reason());
        LockHandle next = other.lock(name, OPTIONS).acquire();
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        assertEquals(Release.LOST, held.release());
        next.close();
    }

    // Errors that last

    @Test
    void s6_aHoldEndsInTimeIfTheServerRefusesToWriteAndItsWordsAreLogged() throws Exception {
        LockHandle held = locks.lock(name, OPTIONS).acquire();
        LockHandle released = locks.lock(name + "-2", OPTIONS).acquire();
        Queue<LockLoss> losses = losses(held);

        expectWarning("NOREPLICAS", () -> {
            administer("CONFIG", "SET", "min-replicas-to-write", "1");
            try {
                assertEquals(Release.PENDING, released.release());
                awaitState(State.SUSPECT, held);
                Waiting.await("the loss is reported", LEASE.plusSeconds(1).plus(SLACK), () -> !losses.isEmpty());
            } finally {
                administer("CONFIG", "SET", "min-replicas-to-write", "0");
            }
        });

        assertEquals(LossReason.EXPIRED, losses.element().reason());
        LockHandle next = other.lock(name, OPTIONS).acquire();
        assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
        assertEquals(Release.LOST, held.release());
        next.close();
        expectNothingLeft();
    }

    private interface Action {
        void run() throws Exception;
    }

    /** Expects a warning about a lock of this test, whose cause has some words. A thread of the client writes it. */
    private void expectWarning(String words, Action action) throws Exception {
        // While a thread initializes SLF4J, others get loggers that are not Logback's.
        await("SLF4J is initialized", () -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
        Logger logger = (Logger) LoggerFactory.getLogger(LockClient.class.getName());
        Warnings log = new Warnings();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.WARN);
        try {
            action.run();
            await(
                    "a warning with " + words,
                    () -> log.lines.stream().anyMatch(line -> line.contains(name) && line.contains(words)));
        } finally {
            logger.setLevel(null);
            logger.detachAppender(log);
        }
    }

    /** The warnings of all clients, with the words of their causes. Other tests add theirs at the same time. */
    private static final class Warnings extends AppenderBase<ILoggingEvent> {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        protected void append(ILoggingEvent line) {
            IThrowableProxy cause = line.getThrowableProxy();
            lines.add(line.getFormattedMessage() + (cause == null ? "" : ": " + cause.getMessage()));
        }
    }

    // Credentials and rights

    /** Gives a user of the server a password, and all rights. Returns the user's name. */
    private String user(String password) {
        administer("ACL", "SETUSER", name, "on", "resetpass", ">" + password, "~*", "&*", "+@all");
        opened.add(() -> administer("ACL", "DELUSER", name));
        return name;
    }

    private RedisBackend connect(Supplier<String> password) {
        return RedisBackend.builder(server.uri())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .credentialsProvider(() -> new DefaultRedisCredentials(name, password.get()))
                        .build())
                .build();
    }

    /** Changes a password, and closes all connections that were made with the old one. */
    private void rotate(String password) {
        administer("ACL", "SETUSER", name, "resetpass", ">" + password);
        administer("CLIENT", "KILL", "USER", name);
    }

    @Test
    void s6_aHoldEndsInTimeAfterThePasswordHasChanged() throws Exception {
        LockClient client = client(RedisBackend.connect("redis://" + user("old") + ":old@" + server.address()));
        LockHandle held = client.lock(name, OPTIONS).acquire();
        Queue<LockLoss> losses = losses(held);
        CompletableFuture<LockHandle> waiting = queued(other, OPTIONS);
        long before = statistic("stats", "total_connections_received:");

        expectWarning("WRONGPASS", () -> {
            rotate("new");
            Waiting.await("the loss is reported", LEASE.plusSeconds(1).plus(SLACK), () -> !losses.isEmpty());
        });

        assertEquals(LossReason.EXPIRED, losses.element().reason());
        // A renewal asks again after a twentieth of its lease, over two connections at most.
        assertThat(statistic("stats", "total_connections_received:") - before).isLessThan(60);
        assertThatThrownBy(() -> client.lock(name).tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("WRONGPASS");
        get(waiting).close();
        assertEquals(Release.LOST, held.release());
    }

    @Test
    void v8_newCredentialsOfAProviderKeepAHold() throws Exception {
        var unused = user("old");
        var password = new AtomicReference<>("old");
        LockClient client = client(connect(password::get));
        LockHandle held = client.lock(name, LONG).acquire();

        rotate("new");
        awaitState(State.SUSPECT, held);
        password.set("new");

        awaitState(State.HELD, held);
        assertEquals(Release.RELEASED, held.release());
        client.lock(name).acquire().close();
    }

    @Test
    void v8_aPasswordThatChangesCostsNothingOnOpenConnections() throws Exception {
        LockClient client = client(RedisBackend.connect("redis://" + user("old") + ":old@" + server.address()));
        LockHandle held = client.lock(name, OPTIONS).acquire();

        administer("ACL", "SETUSER", name, "resetpass", ">new");

        awaitRenewals(1);
        assertEquals(State.HELD, held.state());
        assertEquals(Release.RELEASED, held.release());
    }

    @Test
    void api_aMissingPasswordIsRefusedAtOnceInTheWordsOfTheServer() {
        administer("ACL", "SETUSER", "default", "resetpass", ">secret");
        try {
            LockClient client = client(RedisBackend.connect(server.uri()));

            assertThatThrownBy(() -> client.lock(name).acquire())
                    .isInstanceOf(LockException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("NOAUTH");
        } finally {
            administer("ACL", "SETUSER", "default", "nopass");
        }
    }

    @Test
    void v8_rightsThatComeBackKeepAHoldAndAWaiterFailsAtOnce() throws Exception {
        LockClient client = client(RedisBackend.connect("redis://" + user("secret") + ":secret@" + server.address()));
        LockHandle held = client.lock(name + "-2", LONG).acquire();
        LockHandle others = other.lock(name, LONG).acquire();
        CompletableFuture<LockHandle> waiting = queued(client, LONG);

        administer("ACL", "SETUSER", name, "-evalsha");

        assertThatThrownBy(() -> get(waiting))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(LockException.class)
                .hasMessageContaining("evalsha");
        awaitState(State.SUSPECT, held);
        administer("ACL", "SETUSER", name, "+evalsha");
        awaitState(State.HELD, held);
        assertEquals(Release.RELEASED, held.release());
        others.close();
    }

    // Connections

    @Test
    void v8_holdsSurviveConnectionsThatAreKilledAllTheTime() throws Exception {
        LockHandle held = locks.lock(name, OPTIONS).acquire();
        AtomicBoolean ends = new AtomicBoolean();
        AtomicInteger grants = new AtomicInteger();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> users = Stream.of(locks, other)
                .map(client -> new Thread(() -> {
                    while (!ends.get()) {
                        try (LockHandle used = client.lock(name + "-2", OPTIONS).acquire()) {
                            grants.incrementAndGet();
                        } catch (InterruptedException | RuntimeException e) {
                            failures.add(e);
                        }
                    }
                }))
                .toList();
        users.forEach(Thread::start);

        for (int i = 0; i < 20; i++) {
            administer("CLIENT", "KILL", "TYPE", "normal");
            administer("CLIENT", "KILL", "TYPE", "pubsub");
            Waiting.letPass(Duration.ofMillis(100));
        }
        ends.set(true);
        for (Thread user : users) {
            user.join();
        }

        assertThat(failures).isEmpty();
        assertThat(grants.get()).isPositive();
        awaitState(State.HELD, held);
        assertThat(other.lock(name).tryAcquire()).isEmpty();
        assertEquals(Release.RELEASED, held.release());
        expectNothingLeft();
    }

    @Test
    void v2_aClientThatFindsNoRoomAcquiresTheLockOnceThereIsSome() throws Exception {
        LockClient late = client(RedisBackend.connect(server.uri()));
        long before = statistic("stats", "rejected_connections:");
        String most = Long.toString(statistic("clients", "maxclients:"));
        CompletableFuture<LockHandle> waiting;

        administer("CONFIG", "SET", "maxclients", "1");
        try {
            waiting = late.lock(name).acquireAsync();
            await("it was turned away", () -> statistic("stats", "rejected_connections:") > before + 1);
            assertThat(waiting).isNotDone();
        } finally {
            administer("CONFIG", "SET", "maxclients", most);
        }

        get(waiting).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ALL", "WRITE"})
    void s7_aPauseOfTheServerCostsNoHoldAndLeavesNothing(String what) throws Exception {
        LockHandle held = locks.lock(name, LONG).acquire();
        CompletableFuture<LockHandle> waiting = queued(other, LONG);
        locks.lock(name + "-2").acquire().close();

        // A request waits for 1 s, and the hold is renewed every 2 s.
        administer("CLIENT", "PAUSE", "2000", what);
        assertThatThrownBy(() -> locks.lock(name + "-2").tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("has not answered in time");

        await("it answers again", () -> {
            try {
                return locks.lock(name + "-2")
                        .tryAcquire()
                        .map(handle -> handle.release() == Release.RELEASED)
                        .orElse(false);
            } catch (LockException e) {
                return false;
            }
        });
        awaitState(State.HELD, held);
        held.close();
        get(waiting).close();
        expectNothingLeft();
    }

    // Keys of other programs

    @Test
    void s5_valuesOfOtherProgramsAreBusyAndStayUntilTheyDeleteThem() throws Exception {
        List<Function<String, DistributedLock>> kinds = List.of(
                locks::lock,
                each -> locks.readWriteLock(each).readLock(),
                each -> locks.readWriteLock(each).writeLock(),
                each -> locks.semaphore(each, 3).permit());
        List<String[]> values = List.of(
                new String[] {"HSET", "field", "value"}, new String[] {"RPUSH", "value"}, new String[] {"SET", "value"
                });
        List<String> keys = new ArrayList<>();
        List<CompletableFuture<Optional<LockHandle>>> limited = new ArrayList<>();
        List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
        for (String[] value : values) {
            for (Function<String, DistributedLock> kind : kinds) {
                String named = name + keys.size();
                keys.add("distlock:" + named);
                administer(Stream.concat(
                                Stream.of(value[0], "distlock:" + named),
                                Stream.of(value).skip(1))
                        .toArray(String[]::new));
                assertThat(kind.apply(named).tryAcquire())
                        .as("%s of a %s", named, value[0])
                        .isEmpty();
                limited.add(kind.apply(named).tryAcquireAsync(Duration.ofSeconds(1)));
                waiting.add(kind.apply(named).acquireAsync());
            }
        }
        for (CompletableFuture<Optional<LockHandle>> each : limited) {
            assertThat(each.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)).isEmpty();
        }
        await("all wait", () -> keys.stream().allMatch(each -> admin.zcard("distlock:{" + each + "}:queue") == 1));
        assertThat(keys.stream().map(admin::pttl)).containsOnly(-1L);
        assertThat(waiting).noneMatch(CompletableFuture::isDone);

        keys.forEach(admin::del);

        for (CompletableFuture<LockHandle> waiter : waiting) {
            get(waiter).close();
        }
    }

    // Scripts

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v2_scriptsThatTheServerLosesBeforeEachRequestAreSentAgain(boolean suppliedClient) throws Exception {
        try (FaultProxy link = FaultProxy.to(server);
                RedisClient supplied = RedisClient.create("redis://" + link.address())) {
            LockClient client = client(
                    suppliedClient ? RedisBackend.of(supplied) : RedisBackend.connect("redis://" + link.address()));
            Predicate<byte[]> isScript = FaultProxy.containing("EVAL");
            var never = link.dropNextRequest(
                    request -> {
                        if (isScript.test(request)) {
                            admin.scriptFlush();
                        }
                        return false;
                    },
                    FaultProxy.Then.CUT);
            long before = statistic("commandstats", "cmdstat_evalsha:.*failed_calls=");

            for (DistributedLock lock : List.of(
                    client.lock(name + "-1", OPTIONS),
                    client.readWriteLock(name + "-2", OPTIONS).readLock(),
                    client.readWriteLock(name + "-3", OPTIONS).writeLock(),
                    client.semaphore(name + "-4", 3, OPTIONS).permit())) {
                assertEquals(Release.RELEASED, lock.acquire().release());
            }
            LockHandle first = client.lock(name, OPTIONS).acquire();
            CompletableFuture<LockHandle> waiting = queued(other, OPTIONS);
            LockHandle second =
                    client.semaphore(name + "-4", 3, OPTIONS).permit().acquire();
            awaitRenewals(3); // So each of the two is renewed.

            awaitState(State.HELD, second);
            assertEquals(Release.RELEASED, first.release());
            LockHandle next = get(waiting);
            CompletableFuture<LockHandle> back = queued(client, OPTIONS);
            next.close();
            get(back).close();
            second.close();
            assertThat(never.hasStruck()).isFalse();
            assertThat(statistic("commandstats", "cmdstat_evalsha:.*failed_calls=") - before)
                    .isGreaterThan(10);
        }
    }

    // Restart

    @Test
    void v8_aServerThatLoadsItsDataCostsNoHoldAndNoPlace() throws Exception {
        try (RedisServer storing = RedisServer.start("appendonly yes", "appendfsync always", "key-load-delay 300");
                LockClient holder = LockClient.create(RedisBackend.connect(storing.uri()));
                LockClient waiter = LockClient.create(RedisBackend.connect(storing.uri()));
                LockClient asking = LockClient.builder(RedisBackend.connect(storing.uri()))
                        .requestTimeout(Duration.ofSeconds(2)) // The server answers only after each 1,024 keys.
                        .build()) {
            RedisFixture.asked(
                    storing,
                    filler -> filler.eval("for i = 1, 6000 do redis.call('SET', 'filler' .. i, '') end return 1"));
            LockHandle held = holder.lock(name, LONGER).acquire();
            LockHandle released = holder.lock(name + "-2", LONGER).acquire();
            CompletableFuture<LockHandle> waiting = waiter.lock(name, LONGER).acquireAsync();
            await(
                    "it waits",
                    () -> RedisFixture.asked(storing, asked -> asked.zcard("distlock:{" + key + "}:queue")) == 1);

            storing.kill();
            CompletableFuture<Void> restart = CompletableFuture.runAsync(() -> storing.restart(true));
            await("it says that it loads its data", () -> triesLoading(asking));
            Release outcome = released.release();

            restart.get();
            assertThat(outcome).isNotEqualTo(Release.LOST);
            awaitState(State.HELD, held);
            waiter.lock(name + "-2", LONGER).acquire().close();
            assertThat(waiting).isNotDone();
            assertEquals(Release.RELEASED, held.release());
            get(waiting).close();
        }
    }

    private boolean triesLoading(LockClient client) {
        try {
            client.lock(name + "-3", LONGER).tryAcquire().ifPresent(LockHandle::close);
            return false;
        } catch (LockException e) {
            return String.valueOf(e.getMessage()).contains("LOADING");
        }
    }

    @Test
    void v4_aWaiterNoticesByItsHeartbeatsThatTheServerIsSilent() throws Exception {
        LockOptions forMinutes = LockOptions.defaults().renewedLease(Duration.ofMinutes(5));
        LockClient impatient = LockClient.builder(RedisBackend.connect(server.uri()))
                .outageTimeout(Duration.ofSeconds(2))
                .build();
        opened.add(impatient);
        LockHandle held = locks.lock(name, forMinutes).acquire();
        CompletableFuture<LockHandle> waiting = queued(impatient, forMinutes);

        server.pause();
        try {
            // Without heartbeats, the waiter would ask after 30 s.
            assertThatThrownBy(() -> get(waiting)).hasCauseInstanceOf(LockException.class);
        } finally {
            server.resume();
        }
        held.close();
    }
}
