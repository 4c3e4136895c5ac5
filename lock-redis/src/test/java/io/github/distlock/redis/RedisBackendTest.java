package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** The behavior of a backend outside its scripts. */
class RedisBackendTest extends ContenderTest {
    private final FaultProxy link = FaultProxy.to(SERVER);
    private final RedisBackend remote = TestContender.started(RedisBackend.connect("redis://" + link.address()));

    @AfterEach
    void closeRemote() {
        remote.close();
        link.close();
    }

    @Test
    void api_itServesInOrderAndCanBeInspected() {
        assertEquals(
                Set.of(Capability.FAIR, Capability.INSPECT, Capability.FORCE_RELEASE, Capability.CHANGE_LEASE),
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

        await("two requests are sent", () -> link.requests() - before == 2);
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
                .filter(thread -> thread.getName().startsWith("distlock-test-"))
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

        assertThrows(JedisConnectionException.class, () -> remote.forceRelease(name, TestContender.deadline()));
    }

    @Test
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
    void s5_aForeignKeyWithoutExpiryIsReportedOnce() throws InterruptedException {
        admin.set(lock, "a foreign value");
        BlockingQueue<Runnable> statements = new LinkedBlockingQueue<>();
        one.start(new HeldLog(statements));

        List<String> early = warnings(() -> {
            trying(one).findBusy();
            trying(one).findBusy();
        });

        assertEquals(List.of(), early, "the thread of a request does not log");
        List<String> warnings = warnings(() -> statements.forEach(Runnable::run));
        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains(lock + " has no expiry"), warnings.get(0));
    }

    /** Returns the warnings about this test's lock that the work logs. */
    private List<String> warnings(Executable work) {
        Logger logger = (Logger) LoggerFactory.getLogger(RedisBackend.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.WARN);
        try {
            assertDoesNotThrow(work);
        } finally {
            logger.setLevel(null);
            logger.detachAppender(log);
        }
        return log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(name))
                .toList();
    }

    /** A context whose log runs when the test says so. */
    private record HeldLog(BlockingQueue<Runnable> statements, BackendContext context) implements BackendContext {
        private HeldLog(BlockingQueue<Runnable> statements) {
            this(statements, new RecordingContext("test"));
        }

        @Override
        public String clientName() {
            return context.clientName();
        }

        @Override
        public Thread newThread(String role, Runnable task) {
            return context.newThread(role, task);
        }

        @Override
        public void log(Runnable statement) {
            statements.add(statement);
        }

        @Override
        public void connectionLost(Object server) {
            context.connectionLost(server);
        }
    }
}
