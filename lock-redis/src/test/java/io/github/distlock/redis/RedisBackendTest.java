package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.util.KeyValue;

/** The behavior of a backend outside its scripts. */
class RedisBackendTest extends ContenderTest {
    private final FaultProxy link = FaultProxy.to(SERVER);
    private final RedisBackend remote = RedisBackend.connect("redis://" + link.address());
    private final RecordingContext context = new RecordingContext("redis");

    @BeforeEach
    void startRemote() {
        remote.start(context);
    }

    @AfterEach
    void closeRemote() {
        remote.close();
        link.close();
    }

    @Test
    void api_itServesInOrderAndCanBeInspected() {
        assertEquals(
                Set.of(
                        Capability.FAIR,
                        Capability.INSPECT,
                        Capability.LIST,
                        Capability.FORCE_RELEASE,
                        Capability.CHANGE_LEASE,
                        Capability.READ_WRITE,
                        Capability.PERMITS,
                        Capability.STICKY,
                        Capability.RELEASE_REQUESTS,
                        Capability.LOCK_DELAY),
                one.capabilities());
    }

    @ParameterizedTest
    @CsvSource({"PT1S, PT4S", "PT10S, PT10S"})
    void v1_aSilentClientLeavesNothingAfterItsLeaseOrItsQueueEntry(Duration lease, Duration expiry) {
        LockRequest request = LockRequest.exclusive(name, lease, LockOwner.of("host", 7, "client", "thread"));

        assertEquals(expiry, one.expiry(request));
    }

    @Test
    void v7_anInterruptEndsARequest() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();

        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> contender.renew(held, LEASE));

        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> other.inspect(name, TestContender.deadline()));
    }

    @Test
    void v2_aHeartbeatChecksTheSubscription() throws InterruptedException {
        TestContender waiter = subscribedRemoteWaiter();
        waiter.heartbeat();
        long before = link.requests();

        waiter.heartbeat();

        // The first check may be forwarded only now.
        await("two requests are sent", () -> link.requests() - before >= 2);
    }

    @CanIgnoreReturnValue
    private TestContender subscribedRemoteWaiter() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = queuedWaiter(remote);
        await("it is subscribed", () -> waiter.wakeUps.get() > 0);
        return waiter;
    }

    @Test
    void v5_threadsDoNotKeepTheProcessAlive() throws InterruptedException {
        subscribedRemoteWaiter();

        List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-redis-"))
                .toList();
        assertFalse(threads.isEmpty());
        assertTrue(threads.stream().allMatch(Thread::isDaemon));
    }

    @Test
    void v5_closingClosesAllConnections() throws InterruptedException {
        subscribedRemoteWaiter().heartbeat();

        remote.close();

        await("no connection is open", () -> link.openConnections() == 0);
    }

    @Test
    void s5_aReleaseThatHadToBeSentAgainHasReleased() throws InterruptedException {
        Grant held = waiting(remote).acquire();
        link.dropNextReply(request -> true, FaultProxy.Then.CUT);

        release(held);

        assertFalse(admin.exists(lock));
    }

    @Test
    void s5_aForcedReleaseIsNotSentAgain() throws InterruptedException {
        assertTrue(remote.inspect(name, TestContender.deadline()).holders().isEmpty());
        link.cut();

        assertThrows(
                JedisConnectionException.class,
                () -> remote.forceRelease(name, OptionalLong.empty(), TestContender.deadline()));
    }

    @Test
    void s1_aDisconnectedBackendHasNoConnectionAndOpensOthers() throws InterruptedException {
        Grant held = trying(other).acquire();
        TestContender waiter = queuedWaiter(remote);
        await("it is subscribed", () -> waiter.wakeUps.get() > 0);
        waiter.withdraw();

        remote.disconnect();

        await("no connection is open", () -> link.openConnections() == 0);
        release(held);
        release(trying(remote).acquire());
        assertEquals(List.of(), context.lostConnections());
    }

    @Test
    void v5_manyHoldsAreReleasedInOneExchange() throws InterruptedException {
        int count = RedisBackend.CHUNK + 1;
        List<Grant> grants = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            grants.add(TestContender.trying(remote, name + i, LEASE).acquire());
        }
        admin.del(lock + 0);
        long before = link.requests();

        Map<Grant, Grant.Release> found = remote.releaseAll(grants, TestContender.deadline());

        assertTrue(link.requests() - before < count / 4, "requests: " + (link.requests() - before));
        assertEquals(Grant.Release.GONE, found.get(grants.get(0)));
        assertEquals(count - 1, Collections.frequency(found.values(), Grant.Release.RELEASED));
        assertFalse(admin.exists(lock + 1));
        assertEquals(
                Set.of(Grant.Release.RELEASED),
                Set.copyOf(remote.releaseAll(grants, TestContender.deadline()).values()));
    }

    @Test
    void v3_holdsThatAreReleasedTogetherGoToTheirWaiters() throws InterruptedException {
        try (RedisBackend publishing =
                started(RedisBackend.builder(SERVER.uri()).publishFromClient().build())) {
            Grant held = waiting(publishing).acquire();
            TestContender waiter = queuedWaiter(remote);
            await("it is subscribed", () -> waiter.wakeUps.get() > 0);
            int before = waiter.wakeUps.get();

            var found = publishing.releaseAll(List.of(held), TestContender.deadline());

            assertEquals(Map.of(held, Grant.Release.RELEASED), found);
            await("the waiter is notified", () -> waiter.wakeUps.get() > before);
            expectHolder(waiter);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @ResourceLock(RedisFixture.Shared.SCRIPTS)
    void v8_aBatchWithoutItsScriptTakesFewRequests(boolean suppliedClient) throws InterruptedException {
        try (RedisClient client = RedisClient.create("redis://" + link.address());
                RedisBackend supplied = started(RedisBackend.of(client))) {
            RedisBackend backend = suppliedClient ? supplied : remote;
            List<TestContender.AnsweredRenewal> due = renewals(backend, 4 * RedisBackend.CHUNK);
            admin.scriptFlush();
            long before = link.requests();

            backend.renewAll(due, TestContender.deadline());

            assertTrue(
                    due.stream()
                            .allMatch(renewal -> "gone".equals(renewal.answer().get())),
                    "each is answered");
            assertTrue(link.requests() - before < due.size() / 4, "requests: " + (link.requests() - before));
        }
    }

    /** Returns renewals of holds that the server does not have. */
    private List<TestContender.AnsweredRenewal> renewals(RedisBackend backend, int count) {
        LockRequest request = LockRequest.exclusive(name, LEASE, LockOwner.of("host", 7, "client", "thread"));
        RedisContender contender = (RedisContender) backend.contend(request, waiting(one));
        RedisGrant grant = new RedisGrant(
                contender, LockMode.EXCLUSIVE, 7, Validity.of(backend.clock().now(), LEASE));
        return Stream.generate(() -> new TestContender.AnsweredRenewal(grant, LEASE, new AtomicReference<>()))
                .limit(count)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v8_holdsAreRenewedAfterARequestUnderWayHasLostItsConnection(boolean suppliedClient)
            throws InterruptedException {
        RecordingContext engine = new RecordingContext("redis");
        try (RedisClient client = RedisClient.create("redis://" + link.address());
                RedisBackend backend =
                        suppliedClient ? RedisBackend.of(client) : RedisBackend.connect("redis://" + link.address())) {
            backend.start(engine);
            TestContender contender = trying(backend);
            Grant held = contender.acquire();
            assertEquals(List.of(), engine.lostConnections());
            link.dropNextReply(request -> true, FaultProxy.Then.CUT);

            assertThrows(
                    RuntimeException.class,
                    () -> backend.forceRelease(name, OptionalLong.empty(), TestContender.deadline()));

            assertEquals(List.of(held.server()), engine.lostConnections());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s10_aRequestForPermitsThatIsSentAgainGetsThemOnce(boolean suppliedClient) throws InterruptedException {
        try (RedisClient client = RedisClient.create("redis://" + link.address());
                RedisBackend supplied = started(RedisBackend.of(client))) {
            RedisBackend backend = suppliedClient ? supplied : remote;
            LockMode only = LockMode.permits(1, 1);
            release(TestContender.trying(backend, name, only, LEASE).acquire());
            TestContender contender = TestContender.trying(backend, name, only, LEASE);
            link.dropNextReply(request -> true, FaultProxy.Then.CUT);

            Grant held = contender.acquire();

            assertEquals(1, admin.zcard(holders));
            release(held);
            assertEquals(0, admin.zcard(holders));
            assertEquals(1, admin.zcard(queue), "a tombstone, because the request was sent again");
        }
    }

    @Test
    void v5_aPoolWithOneConnectionStaysUsableWhileAContenderWaits() throws InterruptedException {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(1);
        pool.setMaxWait(Duration.ofSeconds(5));
        waiting(one).acquire();
        List<String> warnings = BackendWarnings.during("fewer than two connections", () -> {
            try (RedisClient client = RedisClient.builder()
                            .hostAndPort(SERVER.host(), SERVER.port())
                            .poolConfig(pool)
                            .build();
                    RedisBackend small = started(RedisBackend.of(client))) {
                TestContender waiter = queuedWaiter(small);
                waiter.heartbeat();
                waiter.heartbeat();

                assertEquals("PONG", client.ping());
                assertEquals(0, waiter.wakeUps.get(), "it is not subscribed");
            }
        });

        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains("fewer than two connections"), warnings.get(0));
    }

    @Test
    void v6_aDeniedSubscriptionIsReportedOnce() throws InterruptedException {
        changeRights("resetchannels");
        waiting(one).acquire();
        long before = denials();

        List<String> warnings = BackendWarnings.during(restricted.channel(), () -> {
            TestContender waiter = queuedWaiter(restricted);
            await("two subscriptions were denied", () -> {
                try {
                    waiter.findBusy();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return denials() - before >= 2;
            });
        });

        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains("refuses the subscription"), warnings.get(0));
    }

    /** Returns how often the server has denied a channel to this test's user. */
    private long denials() {
        long denials = 0;
        for (Object entry : Replies.list(administer("LOG", "1000"))) {
            Map<String, Object> values = new HashMap<>();
            for (Object field : Replies.list(entry)) {
                KeyValue<?, ?> pair = (KeyValue<?, ?>) field;
                values.put(Replies.text(pair.getKey()), pair.getValue());
            }
            if (Replies.text(values.get("username")).equals(name)
                    && Replies.text(values.get("reason")).equals("channel")) {
                denials += Replies.number(values.get("count"));
            }
        }
        return denials;
    }

    @Test
    @ResourceLock(RedisFixture.Shared.SCRIPTS)
    void s3_aGrantOfAnotherLockDuringARequestCostsNoSecondOne() throws InterruptedException {
        release(trying(remote).acquire());
        long before = link.requests();
        AtomicLong greatest = new AtomicLong();
        LongSupplier risingAfterEachLook = () -> greatest.getAndSet(Long.MAX_VALUE);
        TestContender contender = TestContender.knowing(risingAfterEachLook, remote, name, LEASE);

        contender.acquire();

        expectHolderWithoutWaiters(contender);
        assertEquals(1, link.requests() - before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s7_aWithdrawalAfterARefusalSendsNothing(boolean knowsNoQueue) throws InterruptedException {
        changeRights("resetkeys", "~" + (knowsNoQueue ? lock : "nothing"), "~" + (knowsNoQueue ? token : "nothing"));
        TestContender contender = waiting(restricted);
        assertThrows(RequestRefusedException.class, contender::attempt);

        assertDoesNotThrow(contender::withdraw, "a request would be refused");
    }

    @Test
    void s7_aWithdrawalAfterAnAnswerAndARefusalRemovesTheQueueEntry() throws InterruptedException {
        waiting(other).acquire();
        TestContender contender = queuedWaiter(restricted);
        changeRights("-evalsha");
        assertThrows(RequestRefusedException.class, contender::attempt);
        changeRights("+evalsha");

        contender.withdraw();

        expectQueued();
    }

    @Test
    @Tag("slow")
    void v6_waitersAreForgottenIfTheirCleanupGivesUp() throws InterruptedException {
        waiting(one).acquire();
        LockOptions options =
                LockOptions.defaults().renewedLease(Duration.ofSeconds(1)).fair();
        RedisBackend silenced = RedisBackend.connect("redis://" + link.address());
        try (LockClient client = LockClient.create(silenced)) {
            List<CompletableFuture<LockHandle>> waiters = Stream.generate(
                            () -> client.lock(name, options).acquireAsync())
                    .limit(40)
                    .toList();
            await("all wait", () -> silenced.waiting.size() == waiters.size());
            link.silence();

            waiters.forEach(waiter -> waiter.cancel(false));

            Waiting.await("none is known", Duration.ofSeconds(40), silenced.waiting::isEmpty);
        }
    }

    @Test
    void v6_aClientForgetsNamesOnceItHasNoContenders() throws InterruptedException {
        RedisBackend backend = RedisBackend.connect(SERVER.uri());
        try (LockClient locks = LockClient.create(backend)) {
            Grant held = waiting(other).acquire();
            assertTrue(locks.lock(name).tryAcquire().isEmpty());
            assertTrue(locks.lock(name).tryAcquire(Duration.ofSeconds(1)).isEmpty());
            release(held);
            LockHandle lost = locks.lock(name).acquire();
            assertFalse(backend.grantedBases.names.isEmpty());
            admin.del(lock);
            var unused = lost.release();
            locks.lock(name).acquire().close();

            await("the client keeps no name", backend.grantedBases.names::isEmpty);
        }
    }

    @Test
    void s5_aForeignKeyWithoutExpiryIsReportedOnce() throws InterruptedException {
        admin.set(lock, "a foreign value");

        List<String> warnings = BackendWarnings.during(lock, () -> {
            trying(one).findBusy();
            trying(one).findBusy();
        });

        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains(lock + " has no expiry"), warnings.get(0));
    }

    @Test
    void s10_anotherLimitIsLoggedOnceForAName() throws InterruptedException {
        List<String> warnings = BackendWarnings.during(name, () -> {
            TestContender.waiting(one, name, LockMode.permits(1, 3), LEASE).acquire();
            TestContender.waiting(other, name, LockMode.permits(1, 3), LEASE).acquire();
            TestContender.trying(other, name, LockMode.permits(1, 2), LEASE).findBusy();
            TestContender.waiting(other, name, LockMode.permits(1, 4), LEASE).acquire();
            TestContender.trying(one, name, LockMode.permits(1, 3), LEASE).findBusy();
        });

        assertEquals(
                List.of(
                        "semaphore \"" + name + "\" has 2 permits here, but 3 for another client",
                        "semaphore \"" + name + "\" has 3 permits here, but 4 for another client"),
                warnings);
    }

    @Test
    void s10_aGrantWithAnotherLimitIsLogged() throws InterruptedException {
        List<String> warnings = BackendWarnings.during(name, () -> {
            TestContender.waiting(one, name, LockMode.permits(1, 3), LEASE).acquire();
            TestContender.waiting(other, name, LockMode.permits(1, 2), LEASE).acquire();
        });

        assertEquals(List.of("semaphore \"" + name + "\" has 2 permits here, but 3 for another client"), warnings);
    }

    @Test
    void v12_aRefusedReadOfRequestsIsLoggedOnceInTheWordsOfTheServer() throws InterruptedException {
        changeRights("resetkeys", "~" + lock, "~" + token, "~" + queue, "~" + alive, "~" + holders);
        Grant held = waiting(restricted).acquire();

        List<String> warnings = BackendWarnings.during(name, () -> {
            for (int i = 0; i < 2; i++) {
                assertEquals(Map.of(), restricted.requestedReleases(List.of(held), TestContender.deadline()));
            }
        });

        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains("requests for release are not heard"), warnings.get(0));
        assertTrue(warnings.get(0).contains("NOPERM"), warnings.get(0));
    }
}
