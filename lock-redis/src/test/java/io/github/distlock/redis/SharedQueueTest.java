package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol.Command;

/** How the queue of readers, writers and permits is served. */
class SharedQueueTest extends SharedTest {
    private static final int MOST_GRANTS = 64;

    static Stream<String> unknownEntries() {
        return Stream.of("2\tread\t1", "1\tother\t1", "1\tlock\t1", "1\tread\t2", "1\twrite\t2", "1\tpermits\t1");
    }

    @Test
    void v10_aReaderDoesNotPrecedeAWriterThatWaits() throws InterruptedException {
        reader(one).acquire();
        TestContender writer = queued(writer(other));

        TestContender reader = queued(reader(one));

        expectQueued(writer, reader);
        expectMarker("read 1+");
    }

    @Test
    void s12_aWaiterDoesNotChangeTheTokenOfItsKind() throws InterruptedException {
        Grant held = reader(one).acquire();

        queued(writer(other));

        assertEquals(held.fencingBase() + "\tread-write", admin.get(token));
    }

    @Test
    void v10_smallRequestsDoNotOvertakeALargeOne() throws InterruptedException {
        Grant held = permits(3, 10).acquire();
        Grant alsoHeld = permits(3, 10).acquire();
        TestContender large = queued(permits(8, 10));
        TestContender small = queued(permits(1, 10));

        release(held);
        expectQueued(large, small);
        release(alsoHeld);

        expectQueued();
        expectHolders(large, small);
        expectMarker("permits 9/10");
    }

    @Test
    void v10_theReleaseOfAWriterServesConsecutiveReadersTogether() throws InterruptedException {
        subscribe();
        Grant held = writer(one).acquire();
        TestContender first = queued(reader(one));
        TestContender second = queued(reader(other));
        TestContender next = queued(writer(one));
        TestContender last = queued(reader(other));

        release(held);

        expectHolders(first, second);
        expectQueued(next, last);
        expectMarker("read 2+");
        expectTimeToLive(lock, HANDOFF_LEASE.toMillis());
        expectTimeToLive(holders, HANDOFF_LEASE.toMillis());
        await("both are notified", () -> first.wakeUps.get() == 1 && second.wakeUps.get() == 1);
        Grant read = first.acquire();
        Grant alsoRead = second.acquire();
        assertEquals(List.of(HANDOFF_LEASE, HANDOFF_LEASE), List.of(length(read), length(alsoRead)));
        assertTrue(held.fencingBase() < read.fencingBase() && read.fencingBase() < alsoRead.fencingBase());
        assertEquals(alsoRead.fencingBase() + "\tread-write", admin.get(token));
    }

    private static Duration length(Grant grant) {
        return grant.validity().length();
    }

    @Test
    void v10_theReleaseOfTheLastReaderServesAWriter() throws InterruptedException {
        Grant held = reader(one).acquire();
        Grant alsoHeld = reader(one).acquire();
        TestContender writer = queued(writer(other));
        queued(reader(other));

        release(held);
        expectMarker("read 1+");
        release(alsoHeld);

        assertEquals(writer.record(lastBase()) + "\n", admin.get(lock));
        expectTimeToLive(lock, HANDOFF_LEASE.toMillis());
        assertFalse(admin.exists(holders));
        assertTrue(lastBase() > alsoHeld.fencingBase());
    }

    @Test
    void v10_aReleaseServesAllPermitsThatFit() throws InterruptedException {
        Grant held = permits(10, 10).acquire();
        TestContender first = queued(permits(4, 10));
        TestContender second = queued(permits(5, 9));
        TestContender third = queued(permits(2, 10));

        release(held);

        expectHolders(first, second);
        expectQueued(third);
        expectMarker("permits 9/9+");
    }

    @Test
    void v10_aDowngradeServesTheReadersAtTheHead() throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();
        TestContender reader = queued(reader(other));
        TestContender next = queued(writer(other));

        assertTrue(held.downgrade(TestContender.deadline()).isPresent());

        expectHolders(writer, reader);
        expectQueued(next);
        expectMarker("read 2+");
    }

    @Test
    void v10_theWithdrawalOfTheHeadServesThoseBehindIt() throws InterruptedException {
        permits(3, 10).acquire();
        TestContender large = queued(permits(8, 10));
        TestContender small = queued(permits(7, 10));

        large.withdraw();

        expectQueued();
        assertEquals(small.value(), recordOf(small).split("\t", 2)[0]);
        expectMarker("permits 10/10");
    }

    @ParameterizedTest
    @MethodSource("io.github.distlock.redis.SharedHoldsTest#modes")
    void s7_aWithdrawalEndsAHoldWithoutAnAnswerAndServesTheNext(LockMode mode) throws InterruptedException {
        LockMode all = mode.kind() == LockMode.Kind.PERMITS ? LockMode.permits(10, 10) : LockMode.WRITE;
        Grant held = waiting(one, all).acquire();
        TestContender receiver = queued(waiting(other, mode));
        TestContender next = queued(waiting(other, all));
        release(held);
        expectQueued(next);

        receiver.withdraw();

        expectQueued();
        assertTrue((admin.get(lock) + admin.zrange(holders, 0, -1)).contains(next.value()));
    }

    @Test
    void s7_aWithdrawalEndsNoOtherHold() throws InterruptedException {
        TestContender first = reader(one);
        first.acquire();
        TestContender second = reader(one);
        second.acquire();

        second.withdraw();

        expectHolders(first);
        expectMarker("read 1");
    }

    @Test
    void v10_aHeartbeatServesWaitersAfterALeaseHasEnded() throws InterruptedException {
        subscribe();
        TestContender holder = permits(10, 10);
        holder.acquire();
        TestContender first = queued(permits(2, 10));
        TestContender second = queued(permits(3, 10));
        expire(holder);

        second.heartbeat();

        expectHolders(first, second);
        expectMarker("permits 5/10");
        await("the first is notified", () -> first.wakeUps.get() == 1);
        await("both the message and the heartbeat wake the second", () -> second.wakeUps.get() == 2);
    }

    @Test
    void v10_aHeartbeatKeepsItsPlaceAndWakesNobodyWithoutAReason() throws InterruptedException {
        subscribe();
        TestContender holder = permits(10, 10);
        holder.acquire();
        TestContender waiter = queued(permits(2, 10));
        double queuedAt = admin.zscore(queue, entry(waiter));
        goSilent(waiter);

        waiter.heartbeat();

        assertEquals(0, waiter.wakeUps.get());
        assertEquals(queuedAt, admin.zscore(queue, entry(waiter)));
        assertTrue(admin.zscore(alive, entry(waiter)) > serverMicros());
        expectMarker("permits 10/10+");
    }

    @Test
    void v2_aHeartbeatFindsThatItsEntryIsGone() throws InterruptedException {
        subscribe();
        permits(10, 10).acquire();
        TestContender waiter = queued(permits(2, 10));
        admin.del(queue, alive);

        waiter.heartbeat();

        assertEquals(1, waiter.wakeUps.get());
        assertEquals(0, admin.exists(queue, alive));
    }

    @Test
    void v10_anAcquireServesThoseBeforeItAfterALeaseHasEnded() throws InterruptedException {
        TestContender holder = permits(10, 10);
        holder.acquire();
        TestContender first = queued(permits(9, 10));
        expire(holder);

        trying(other, LockMode.permits(2, 10)).findBusy();

        expectHolders(first);
        expectTimeToLive(lock, HANDOFF_LEASE.toMillis());
        assertTrue(trying(other, LockMode.permits(1, 10)).acquire().fencingBase() > 0);
    }

    @Test
    void v10_aWaiterThatAsksForAFreeLockIsServedBeforeThoseBehindIt() throws InterruptedException {
        writer(one).acquire();
        TestContender first = queued(reader(one));
        TestContender second = queued(reader(other));
        queued(writer(other));
        admin.del(lock);

        Grant held = first.acquire();

        assertEquals(LEASE, length(held));
        expectHolders(first, second);
        expectMarker("read 2+");
        expectTimeToLive(token, LEASE.plusHours(1).toMillis());
        assertTrue(admin.zscore(holders, recordOf(first)) > serverMicros() + 10_000_000, "the full lease");
    }

    @Test
    void v10_aWaiterInTheMiddleThatAsksGetsTheFullLease() throws InterruptedException {
        writer(one).acquire();
        TestContender first = queued(reader(one));
        TestContender second = queued(reader(other));
        admin.del(lock);

        second.acquire();

        expectHolders(first, second);
        expectQueued();
        assertTrue(admin.zscore(holders, recordOf(second)) > serverMicros() + 10_000_000, "the full lease");
        assertTrue(admin.zscore(holders, recordOf(first)) < serverMicros() + 10_000_000, "that of a handoff");
    }

    @Test
    void v1_waitersOfSilentClientsAreSkipped() throws InterruptedException {
        reader(one).acquire();
        TestContender silent = queued(writer(other));
        TestContender reader = queued(reader(other));
        goSilent(silent);

        reader.heartbeat();

        expectQueued();
        expectMarker("read 2");
    }

    @Test
    void v10_aScriptServesABoundedNumber() throws InterruptedException {
        writer(one).acquire();
        List<TestContender> waiters = new ArrayList<>();
        for (int i = 0; i < MOST_GRANTS + 2; i++) {
            waiters.add(queued(reader(other)));
        }
        admin.del(lock);

        trying(one, LockMode.READ).findBusy();
        expectQueued(waiters.get(MOST_GRANTS), waiters.get(MOST_GRANTS + 1));
        expectMarker("read 64+");
        waiters.get(MOST_GRANTS + 1).heartbeat();

        expectQueued();
        expectMarker("read 66");
    }

    @ParameterizedTest
    @MethodSource("unknownEntries")
    void v10_anEntryThatIsNotKnownIsNeitherServedNorDropped(String format) throws InterruptedException {
        subscribe();
        Grant held = writer(one).acquire();
        String first = format + "\tvalue\tchannel\t3000\towner";
        admin.zadd(queue, 1, first);
        admin.zadd(alive, serverMicros() + 60_000_000.0, first);
        TestContender behind = queued(reader(other));

        release(held);

        assertFalse(admin.exists(lock), "free for the client of the first entry");
        assertEquals(List.of(first, entry(behind)), admin.zrange(queue, 0, -1));
        assertEquals(Duration.ofMillis(1_001), trying(one, LockMode.READ).findBusy());
        behind.heartbeat();
        assertEquals(1, behind.wakeUps.get(), "it asks again");
        admin.zrem(alive, first);
        behind.acquire();
        expectQueued();
    }

    @Test
    void v2_aBusyAnswerSaysWhenTheFirstLeaseEnds() throws InterruptedException {
        TestContender first = reader(one);
        first.acquire();
        reader(one).acquire();
        endIn(4_000, first);

        Duration again = trying(other, LockMode.WRITE).findBusy();

        assertTrue(again.toMillis() > 0 && again.toMillis() <= 4_001, "asks again after " + again);
    }

    @ParameterizedTest
    @MethodSource("io.github.distlock.redis.SharedHoldsTest#modes")
    void v10_aRenewalSaysThatOthersWait(LockMode mode) throws InterruptedException {
        TestContender holder = waiting(one, mode);
        Grant held = holder.acquire();
        queued(waiting(other, mode.kind() == LockMode.Kind.PERMITS ? LockMode.permits(10, 10) : LockMode.WRITE));

        assertInstanceOf(Validity.class, holder.renew(held, LEASE));

        assertEquals(1, holder.timesWanted.get());
    }

    @Test
    void v10_aRenewalSaysThatNobodyWaitsAnyMore() throws InterruptedException {
        TestContender holder = reader(one);
        Grant held = holder.acquire();
        queued(writer(other)).withdraw();

        assertInstanceOf(Validity.class, holder.renew(held, LEASE));

        assertEquals(0, holder.timesWanted.get());
    }

    @Test
    void v10_aTombstoneDoesNotWait() throws InterruptedException {
        reader(one).acquire();

        release(reader(repeating).acquire());

        expectMarker("read 1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v10_theClientPublishesAllHandoffsOfItsRequest(boolean suppliedClient) throws InterruptedException {
        subscribe();
        RedisBackendBuilder builder = suppliedClient ? RedisBackend.builder(admin) : RedisBackend.builder(SERVER.uri());
        try (RedisBackend publishing = started(builder.publishFromClient().build())) {
            Grant held = writer(publishing).acquire();
            TestContender first = queued(reader(one));
            TestContender second = queued(reader(other));

            release(held);

            await("both are notified", () -> first.wakeUps.get() == 1 && second.wakeUps.get() == 1);
            assertEquals(
                    List.of(HANDOFF_LEASE, HANDOFF_LEASE), List.of(length(first.acquire()), length(second.acquire())));
        }
    }

    private interface Request {
        void send(TestContender contender) throws InterruptedException;
    }

    /** Two contenders wait behind a holder whose lease has ended. The second one's request serves the first. */
    private void expectPublished(LockMode asked, Request request) throws InterruptedException {
        try (RedisBackend publishing =
                started(RedisBackend.builder(SERVER.uri()).publishFromClient().build())) {
            TestContender holder = permits(10, 10);
            holder.acquire();
            TestContender first = queued(permits(2, 10));
            TestContender second = queued(waiting(publishing, asked));
            expire(holder);
            try (Connection listening = listening(first)) {

                request.send(second);

                expectPublished(listening, first);
            }
        }
    }

    /** Hears the messages for the client of a waiter, as that client does. */
    private Connection listening(TestContender waiter) {
        DefaultJedisClientConfig patient = DefaultJedisClientConfig.builder()
                .socketTimeoutMillis(Math.toIntExact(PATIENCE.toMillis()))
                .build();
        Connection listening = new Connection(new HostAndPort(SERVER.host(), SERVER.port()), patient);
        listening.sendCommand(Command.SUBSCRIBE, entry(waiter).split("\t", -1)[4]);
        var unused = listening.getOne();
        return listening;
    }

    private static void expectPublished(Connection listening, TestContender served) {
        byte[] message = (byte[]) ((List<?>) listening.getOne()).get(2);
        assertTrue(new String(message, UTF_8).startsWith("granted " + served.value() + " "));
    }

    @Test
    void v10_theClientPublishesTheHandoffsOfItsAcquire() throws InterruptedException {
        expectPublished(LockMode.permits(10, 10), TestContender::findBusy);
    }

    @Test
    void v10_theClientPublishesTheHandoffsOfItsHeartbeat() throws InterruptedException {
        expectPublished(LockMode.permits(10, 10), TestContender::heartbeat);
    }

    @Test
    void v10_theClientPublishesTheHandoffsOfAHeartbeatThatServesItsContender() throws InterruptedException {
        expectPublished(LockMode.permits(3, 10), TestContender::heartbeat);
    }

    @Test
    void v10_theClientPublishesTheHandoffsOfItsWithdrawal() throws InterruptedException {
        expectPublished(LockMode.permits(3, 10), TestContender::withdraw);
    }

    @Test
    void v10_theClientPublishesTheHandoffsOfItsDowngrade() throws InterruptedException {
        try (RedisBackend publishing =
                started(RedisBackend.builder(SERVER.uri()).publishFromClient().build())) {
            Grant held = writer(publishing).acquire();
            TestContender reader = queued(reader(one));
            try (Connection listening = listening(reader)) {

                assertTrue(held.downgrade(TestContender.deadline()).isPresent());

                expectPublished(listening, reader);
            }
        }
    }

    @Test
    void v10_theRecordOfAWriterSaysOnceThatOthersWait() throws InterruptedException {
        TestContender writer = writer(one);
        Grant held = writer.acquire();
        queued(reader(one));
        queued(reader(other));

        assertEquals(writer.record(held.fencingBase()) + "\n", admin.get(lock));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s9_aMessageFromBeforeTheLastReplyMakesNoHolder(boolean afterHeartbeat) throws InterruptedException {
        Grant held = writer(one).acquire();
        TestContender reader = queued(reader(other));
        if (afterHeartbeat) {
            reader.heartbeat();
        }

        reader.hearsOfHandoff(held.fencingBase());

        reader.findBusy();
    }

    @Test
    void v10_twoWaitersOfOneClientTakeTheirHandoffsInAnyOrder() throws InterruptedException {
        subscribe();
        Grant held = permits(2, 2).acquire();
        TestContender first = queued(waiting(other, LockMode.permits(1, 2)));
        TestContender second = queued(waiting(other, LockMode.permits(1, 2)));
        release(held);
        await("both are notified", () -> first.wakeUps.get() == 1 && second.wakeUps.get() == 1);

        Grant later = second.acquire();
        Grant earlier = first.acquire();

        assertEquals(List.of(HANDOFF_LEASE, HANDOFF_LEASE), List.of(length(later), length(earlier)));
        assertTrue(earlier.fencingBase() < later.fencingBase());
        assertInstanceOf(Validity.class, first.renew(earlier, LEASE));
        assertInstanceOf(Validity.class, second.renew(later, LEASE));
    }

    @Test
    void v10_aReaderThatMissedItsMessageFindsItsHold() throws InterruptedException {
        subscribe();
        Grant held = writer(one).acquire();
        TestContender.knowing(serverMicros() + 86_400_000_000L, other, "ahead-" + name, LEASE)
                .acquire();
        TestContender reader = queued(waiting(other, LockMode.READ));
        release(held);
        long base = lastBase();

        Grant read = reader.acquire();

        assertEquals(LEASE, length(read), "it asked");
        assertEquals(base, read.fencingBase());
        assertInstanceOf(Validity.class, reader.renew(read, LEASE));
        expectMarker("read 1");
    }

    @Test
    void v10_aRepeatedRequestServesWaitersAfterALeaseHasEnded() throws InterruptedException {
        TestContender holder = permits(7, 10);
        holder.acquire();
        TestContender ended = permits(3, 10);
        ended.acquire();
        TestContender waiter = queued(permits(2, 10));
        expire(ended);

        holder.acquire();

        expectHolders(holder, waiter);
        expectMarker("permits 9/10");
    }

    @Test
    @ResourceLock(RedisFixture.Shared.SCRIPTS)
    void v8_holdsOfAllModesAreRenewedAndReleasedTogether() throws InterruptedException {
        List<LockMode> modes =
                List.of(LockMode.EXCLUSIVE, LockMode.READ, LockMode.WRITE, LockMode.permits(2, 3), LockMode.READ);
        List<Grant> grants = new ArrayList<>();
        for (LockMode mode : modes) {
            grants.add(TestContender.waiting(one, name + grants.size(), mode, LEASE)
                    .acquire());
        }
        List<TestContender.AnsweredRenewal> renewals = grants.stream()
                .map(grant -> new TestContender.AnsweredRenewal(grant, LEASE, new AtomicReference<>()))
                .toList();
        admin.scriptFlush();

        one.renewAll(renewals, TestContender.deadline());
        admin.scriptFlush();
        Map<Grant, Grant.Release> released = one.releaseAll(grants, TestContender.deadline());

        renewals.forEach(
                renewal -> assertInstanceOf(Validity.class, renewal.answer().get()));
        assertEquals(modes.size(), released.size());
        assertTrue(released.values().stream().allMatch(Grant.Release.RELEASED::equals));
    }

    @Test
    void v1_aWaiterFarFromTheHeadCountsUntilThreeSecondsAfterItsNextHeartbeat() throws InterruptedException {
        subscribe();
        permits(10, 10).acquire();
        addEntries("permits\t10/10", 160);
        TestContender waiter = queued(permits(1, 10));

        waiter.heartbeat();
        Double aliveUntil = admin.zscore(alive, entry(waiter));
        waiter.heartbeat();

        assertTrue(aliveFor(waiter) > 4_000 && aliveFor(waiter) <= 13_000, "it counts for " + aliveFor(waiter) + " ms");
        assertEquals(aliveUntil, admin.zscore(alive, entry(waiter)), "it sends no heartbeat before it is due");
    }

    @Test
    void v1_aReleaseServesTheWaitersBehindManyDeadEntries() throws InterruptedException {
        Grant held = writer(one).acquire();
        TestContender first = queued(reader(other));
        TestContender second = queued(reader(one));
        addDeadEntries("write\t1", 1_000);

        release(held);

        expectHolders(first, second);
        expectMarker("read 2");
        expectQueued();
    }
}
