package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** The behavior of a backend outside its scripts. */
class RedisBackendTest extends ContenderTest {
    private final FaultProxy link = FaultProxy.to(SERVER);
    private final RedisBackend remote = RedisBackend.connect("redis://" + link.address());

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

        assertThrows(JedisConnectionException.class, () -> remote.forceRelease(name, TestContender.deadline()));
    }

    @Test
    void s5_aForeignKeyWithoutExpiryIsReportedOnce() throws InterruptedException {
        admin.set(lock, "a foreign value");
        Logger logger = (Logger) LoggerFactory.getLogger(RedisBackend.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.WARN);
        try {
            trying(one).findBusy();
            trying(one).findBusy();
        } finally {
            logger.setLevel(null);
            logger.detachAppender(log);
        }

        List<String> warnings = log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(name))
                .toList();
        assertEquals(1, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).contains(lock + " has no expiry"), warnings.get(0));
    }
}
