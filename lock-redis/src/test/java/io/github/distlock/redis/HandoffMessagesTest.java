package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handoff messages that are delayed, reordered or repeated cost at most one request. */
class HandoffMessagesTest extends ContenderTest {
    private static final Duration HANDOFF_LEASE = RedisContender.HANDOFF_LEASE;

    private final FaultProxy link = FaultProxy.to(SERVER);
    private final RedisBackend remote = started(RedisBackend.connect("redis://" + link.address()));
    /** It publishes the handoffs that its requests cause. */
    private final RedisBackend publishing =
            started(RedisBackend.builder(SERVER.uri()).publishFromClient().build());

    private TestContender waiter;
    private Grant held;

    @BeforeEach
    void oneHoldsAndOneWaits() throws InterruptedException {
        held = waiting(other).acquire();
        waiter = waiting(remote);
        awaitSubscription();
    }

    @AfterEach
    void closeRemote() {
        publishing.close();
        remote.close();
        link.close();
    }

    private void awaitSubscription() throws InterruptedException {
        waiter.findBusy();
        await("the waiter is subscribed", () -> waiter.wakeUps.get() > 0);
        // The reader takes a message only when it has woken all contenders because of the subscription.
        deliver("near " + waiter.value());
        // A message makes a holder only within half of a handoff lease after the last busy reply.
        waiter.findBusy();
    }

    /** Releases the hold, which goes to the waiter, and returns the message about it, which was lost on its way. */
    private String handOffUnheard() throws InterruptedException {
        Fault lost = link.dropNextPush(FaultProxy.containing("granted "));
        release(held);
        lost.awaitStrike(PATIENCE);
        return message(lastBase());
    }

    private String message(long base) {
        return "granted " + waiter.value() + " " + base;
    }

    /** Sends a message to the waiter's client; it has arrived when this returns. */
    private void deliver(String message) {
        int before = waiter.wakeUps.get();
        publish(message);
        await("the message has arrived", () -> waiter.wakeUps.get() > before);
    }

    private void publish(String message) {
        admin.publish(remote.channel(), message);
    }

    /** Ends the hold that the server gave to the waiter; another client gets the lock. */
    private void takeOver() throws InterruptedException {
        assertEquals(
                1,
                one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());
        held = waiting(one).acquire();
    }

    /** Whether the message alone made it the holder; on a machine that stands still for long, it asks instead. */
    private static boolean wasTakenByMessage(Grant grant) {
        return grant.validity().length().equals(HANDOFF_LEASE);
    }

    private void expectHandoffHeard(int wakeUpsBefore) throws InterruptedException {
        await("the message has arrived", () -> waiter.wakeUps.get() > wakeUpsBefore);
        assertEquals(lastBase(), waiter.acquire().fencingBase());
    }

    private static void expectAsked(Grant grant) {
        assertEquals(LEASE, grant.validity().length(), "it asked the server");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void v3_aMessageInTimeMakesAHolderWithoutARequest(int deadEntries) throws InterruptedException {
        if (deadEntries > 0) {
            addDeadEntries("lock\t1", deadEntries);
        }
        int before = waiter.wakeUps.get();

        release(held);

        await("the message has arrived", () -> waiter.wakeUps.get() > before);
        Grant grant = waiter.acquire();
        assertTrue(wasTakenByMessage(grant));
        assertEquals(lastBase(), grant.fencingBase());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v3_aMessageThatTheClientPublishesMakesAHolder(boolean suppliedClient) throws InterruptedException {
        RedisBackendBuilder builder = suppliedClient ? RedisBackend.builder(admin) : RedisBackend.builder(SERVER.uri());
        try (RedisBackend publishing = started(builder.publishFromClient().build())) {
            String another = "another-" + name;
            Grant first = TestContender.waiting(publishing, another, LEASE).acquire();
            TestContender next = TestContender.waiting(remote, another, LEASE);
            next.findBusy();
            int before = next.wakeUps.get();

            release(first);

            await("the message has arrived", () -> next.wakeUps.get() > before);
            assertTrue(wasTakenByMessage(next.acquire()));
        }
    }

    @Test
    void s5_aReleaseIsConfirmedAlthoughNoThreadCanPublishTheHandoff() throws InterruptedException {
        RecordingContext context = new RecordingContext("publishing");
        AtomicInteger starts = new AtomicInteger();
        try (RedisBackend publishing =
                RedisBackend.builder(admin).publishFromClient().build()) {
            publishing.start(context);
            String another = "another-" + name;
            Grant first = TestContender.waiting(publishing, another, LEASE).acquire();
            TestContender next = TestContender.waiting(remote, another, LEASE);
            next.findBusy();
            context.refuseThreads(role -> starts.incrementAndGet() > 0);

            release(first);

            assertEquals(1, starts.get(), "one for the message");
            next.acquire();
        }
    }

    @Test
    void v3_theClientPublishesAHandoffOfItsForcedRelease() throws InterruptedException {
        int before = waiter.wakeUps.get();

        assertEquals(
                1,
                publishing
                        .forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                        .size());

        expectHandoffHeard(before);
    }

    @Test
    void v3_theClientPublishesAHandoffOfItsAcquire() throws InterruptedException {
        int before = waiter.wakeUps.get();
        admin.del(lock);

        trying(publishing).findBusy();

        expectHandoffHeard(before);
    }

    @Test
    void v3_theClientPublishesAHandoffOfItsWithdrawal() throws InterruptedException {
        TestContender another = queuedWaiter(publishing);
        int before = waiter.wakeUps.get();
        admin.del(lock);

        another.withdraw();

        expectHandoffHeard(before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s1_aDelayedMessageMakesNoHolder(boolean anotherWaits) throws InterruptedException {
        String delayed = handOffUnheard();
        takeOver();
        if (anotherWaits) {
            queuedWaiter(other);
        }
        waiter.findBusy();

        deliver(delayed);

        waiter.findBusy();
    }

    @Test
    void s1_aMessageFromBeforeTheLastHeartbeatMakesNoHolder() throws InterruptedException {
        long beforeHeartbeat = Math.addExact(lastBase(), 1);
        await("the server's clock has gone on", () -> serverMicros() > beforeHeartbeat);
        waiter.heartbeat();

        deliver(message(beforeHeartbeat));

        waiter.findBusy();
    }

    @Test
    void s1_aHeartbeatThatIsAnsweredLateDoesNotBringAnOldMessageBack() throws InterruptedException {
        waiter.heardLate(1);

        deliver(message(2));

        waiter.findBusy();
    }

    @Test
    void s1_aMessageAboutTheLastGrantMakesNoHolderWhenTheServersClockWasSetBack() throws InterruptedException {
        long ahead = lastBase() + Duration.ofDays(1).toNanos() / 1_000;
        admin.set(token, Long.toString(ahead));
        waiter.findBusy();

        deliver(message(ahead));

        waiter.findBusy();
    }

    @Test
    void s3_ofTwoMessagesInTheWrongOrderTheOlderMakesNoHolder() throws InterruptedException {
        String older = handOffUnheard();
        takeOver();
        waiter.findBusy();
        String newer = handOffUnheard();

        deliver(newer);
        deliver(older);

        Grant grant = waiter.acquire();
        expectAsked(grant);
        assertEquals(lastBase(), grant.fencingBase());
        assertEquals(newer, message(grant.fencingBase()));
    }

    @Test
    void v6_aRepeatedMessageCountsOnce() throws InterruptedException {
        String message = handOffUnheard();
        deliver(message);
        deliver(message);
        assertEquals(message, message(waiter.acquire().fencingBase()));
        TestContender next = waiting(remote);
        next.findBusy();
        int before = waiter.wakeUps.get();

        publish(message);
        publish("granted " + next.value() + " 1");

        await("a later message has arrived", () -> next.wakeUps.get() > 0);
        assertEquals(before, waiter.wakeUps.get());
    }

    @Test
    void v6_aMessageToAWithdrawnWaiterIsIgnored() throws InterruptedException {
        waiter.withdraw();
        TestContender next = queuedWaiter(remote);
        int before = waiter.wakeUps.get();

        publish(message(1));
        publish("granted " + next.value() + " 1");

        await("a later message has arrived", () -> next.wakeUps.get() > 0);
        assertEquals(before, waiter.wakeUps.get());
    }

    @Test
    void s6_aHoldByADelayedMessageClaimsNoMoreThanTheServerKeeps() throws InterruptedException {
        String delayed = handOffUnheard();
        await("a part of the lease is over", () -> admin.pttl(lock) < HANDOFF_LEASE.toMillis() - 500);
        deliver(delayed);

        long taking = System.nanoTime();
        Grant grant = waiter.acquire();
        long taken = System.nanoTime();

        admin.ping();
        long askedAt = System.nanoTime();
        long serverEnd = askedAt + Duration.ofMillis(admin.pttl(lock) + 1).toNanos();
        Validity validity = grant.validity();
        long claimedEnd = validity.from().nanoTime() + validity.length().toNanos();
        assertTrue(claimedEnd - serverEnd <= 0, "claims " + (claimedEnd - serverEnd) + " ns too much");
        if (wasTakenByMessage(grant)) {
            long renewsAt = validity.from().nanoTime() + validity.renewAfter().toNanos();
            long pause = HANDOFF_LEASE.toNanos() / 4;
            assertTrue(
                    renewsAt - taking >= pause && renewsAt - taken <= pause, "renewed a quarter of its length later");
        }
    }

    @Test
    void s6_aHoldByAMessageIsDatedAtTheHeartbeatBefore() throws InterruptedException {
        long before = System.nanoTime();
        waiter.heartbeat();
        long after = System.nanoTime();
        deliver(handOffUnheard());

        Grant grant = waiter.acquire();

        long from = grant.validity().from().nanoTime();
        assertTrue(from - before >= 0, "dated at the heartbeat, not before");
        assertTrue(from - after <= 0 || !wasTakenByMessage(grant), "dated at the heartbeat, not later");
    }

    @Test
    void v2_aMessageThatArrivesLateMakesTheWaiterAsk() throws InterruptedException {
        String late = handOffUnheard();
        await("half of the lease is over", () -> admin.pttl(lock) < HANDOFF_LEASE.toMillis() / 2);

        deliver(late);

        expectAsked(waiter.acquire());
        assertTrue(admin.pttl(lock) > HANDOFF_LEASE.toMillis(), "the server keeps it for the full lease");
    }

    @Test
    void s3_aHandoffBelowTheClientsLastTokenGetsAGreaterToken() throws InterruptedException {
        long last = lastTokenIsAhead();

        deliver(handOffUnheard());

        Grant grant = waiter.acquire();
        expectAsked(grant);
        assertTrue(grant.fencingBase() > last);
    }

    @Test
    void s3_aMessageWithTheClientsLastTokenMakesNoHolder() throws InterruptedException {
        long last = lastTokenIsAhead();

        deliver(message(last));

        waiter.findBusy();
    }

    @Test
    void s3_aHandoffBelowATokenThatTheClientHasBeenGrantedMeanwhileMakesNoHolder() throws InterruptedException {
        waiter.findBusy();
        TestContender another = waiting(remote);
        long ahead = lastBase() + Duration.ofDays(1).toNanos() / 1_000;
        admin.set(lock, another.record(ahead));
        assertEquals(ahead, another.acquire().fencingBase());

        deliver(message(ahead - 1));

        waiter.findBusy();
    }

    @Test
    void v3_aHandoffBelowALaterTokenOfAnotherLockNeedsNoRequest() throws InterruptedException {
        AtomicLong greatest = new AtomicLong();
        waiter.withdraw();
        waiter = TestContender.knowing(greatest::get, remote, name, LEASE);
        waiter.findBusy();
        String another = "another-" + name;
        long ahead = lastBase() + Duration.ofDays(1).toNanos() / 1_000;
        greatest.set(
                TestContender.knowing(ahead, remote, another, LEASE).acquire().fencingBase());

        deliver(handOffUnheard());

        Grant grant = waiter.acquire();
        assertTrue(wasTakenByMessage(grant));
        assertEquals(lastBase(), grant.fencingBase());
    }

    /** The waiter's client has been granted a token of another lock by a server whose clock was ahead. */
    private long lastTokenIsAhead() throws InterruptedException {
        long last = lastBase() + 86_400_000_000L;
        waiter.withdraw();
        TestContender another = TestContender.knowing(last - 1, remote, "another-" + name, LEASE);
        assertEquals(last, another.acquire().fencingBase());
        waiter = waiting(remote);
        waiter.findBusy();
        return last;
    }

    @Test
    void v2_aMessageThatCannotBeReadIsIgnored() throws InterruptedException {
        long connections = link.connections();
        for (String unreadable : List.of(
                "",
                "granted",
                "granted " + waiter.value(),
                message(1) + " more",
                "other " + waiter.value() + " 1",
                "granted " + waiter.value() + " 1234567890123456789",
                "granted " + waiter.value() + " -1")) {
            publish(unreadable);
        }

        deliver(handOffUnheard());

        assertEquals(lastBase(), waiter.acquire().fencingBase());
        assertEquals(connections, link.connections(), "the subscription has not ended");
    }
}
