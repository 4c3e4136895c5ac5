package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the scripts do to the queue: order, heartbeats, handoff and withdrawal. */
class QueueScriptsTest extends ContenderTest {
    /** How long an entry counts without a heartbeat, in milliseconds. */
    private static final long ALIVE_FOR = 4_000;

    static Stream<String> otherFormats() {
        return Stream.of("2\tlock\t1", "1\tother\t1", "1\tlock\t2");
    }

    static Stream<String> otherRecords() {
        return Stream.concat(
                Stream.of("a foreign value"), otherFormats().map(format -> "value\t" + format + "\t5\towner"));
    }

    private static String entryOf(String format) {
        return format + "\tvalue\tchannel\t3000\towner";
    }

    /** Adds an entry before all others, which has no heartbeat yet. */
    private void addFirst(String entry) {
        admin.zadd(queue, 1, entry);
    }

    private void keepAlive(String entry) {
        admin.zadd(alive, serverMicros() + 60_000_000.0, entry);
    }

    /** It has been woken once, by its subscription. */
    private TestContender subscribedWaiter() throws InterruptedException {
        TestContender waiter = queuedWaiter(other);
        await("it is subscribed", () -> waiter.wakeUps.get() == 1);
        return waiter;
    }

    @Test
    void v3_waitersQueueInTheOrderInWhichTheyFirstAsked() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(one);
        TestContender second = queuedWaiter(other);

        first.findBusy();

        expectQueued(first, second);
        expectTimeToLive(queue, ALIVE_FOR);
        expectTimeToLive(alive, ALIVE_FOR);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v3_aWaiterThatAsksAgainKeepsItsPlace(boolean tokenIsLost) throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(other);
        String record = admin.get(lock);
        loseToken(tokenIsLost);

        first.findBusy();

        expectQueued(first, second);
        assertEquals(record, admin.get(lock));
    }

    private void loseToken(boolean isLost) {
        if (isLost) {
            admin.del(token);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v1_aWaiterDoesNotShortenTheTimeOfOthers(boolean tokenIsLost) throws InterruptedException {
        waiting(one).acquire();
        queuedWaiter(other);
        admin.pexpire(queue, 60_000);
        admin.pexpire(alive, 60_000);
        loseToken(tokenIsLost);

        queuedWaiter(other);

        expectTimeToLive(queue, 60_000);
        expectTimeToLive(alive, 60_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v1_aWaiterExtendsTheTimeOfTheQueue(boolean tokenIsLost) throws InterruptedException {
        waiting(one).acquire();
        queuedWaiter(other);
        admin.pexpire(queue, ALIVE_FOR / 2);
        admin.pexpire(alive, ALIVE_FOR / 2);
        loseToken(tokenIsLost);

        queuedWaiter(other);

        assertTrue(admin.pttl(queue) > ALIVE_FOR / 2);
        assertTrue(admin.pttl(alive) > ALIVE_FOR / 2);
    }

    @Test
    void v2_aWaiterBehindAnotherAsksAgainAtTheEndOfTheLease() throws InterruptedException {
        waiting(one).acquire();
        var unused = subscribedWaiter();
        admin.pexpire(lock, LEASE.toMillis() / 2);

        Duration again = waiting(other).findBusy();

        assertTrue(again.toMillis() <= LEASE.toMillis() / 2 + 1, "asks again after " + again);
    }

    private static void expectUntilTheEndOfTheLease(Duration again) {
        assertTrue(again.compareTo(LEASE) <= 0, "asks again after " + again);
        assertTrue(again.compareTo(LEASE.minus(PATIENCE)) > 0, "asks again after " + again);
    }

    @Test
    void v2_aWaiterAsksAgainSoonerWhileItHearsNoMessages() throws InterruptedException {
        waiting(one).acquire();
        changeRights("resetchannels");

        assertEquals(Duration.ofMillis(250), waiting(restricted).findBusy());
        expectUntilTheEndOfTheLease(trying(restricted).findBusy());
        expectUntilTheEndOfTheLease(subscribedWaiter().findBusy());
    }

    @Test
    void v6_aSingleTryLeavesNothing() throws InterruptedException {
        TestContender holder = waiting(one);
        holder.acquire();

        trying(other).findBusy();

        expectQueued();
        expectHolderWithoutWaiters(holder);
    }

    @Test
    void v6_aSingleTryBehindAWaiterLeavesNothing() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);

        trying(other).findBusy();

        expectQueued(waiter);
    }

    @Test
    void v3_aReleaseServesAWaiterThatCameAfterTheGrant() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        TestContender first = queuedWaiter(other);
        queuedWaiter(other);
        expectHolderWithWaiters(holder);
        expectTokenWithQueue();

        release(held);

        expectHolder(first);
    }

    @Test
    void v3_aRepeatedRequestDoesNotForgetTheWaiters() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        TestContender first = queuedWaiter(other);

        holder.acquire();

        expectHolderWithWaiters(holder);
        release(held);
        expectHolder(first);
    }

    @Test
    void v3_aFreeLockGoesToTheFirstWaiterIfAnotherContenderAsks() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(other);
        admin.del(lock);

        TestContender late = queuedWaiter(one);

        expectHolderWithWaiters(first);
        expectQueued(late);
    }

    @Test
    void v3_aRenewalThatRestoresTheTokenDoesNotHideAWaiter() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        TestContender first = queuedWaiter(other);
        admin.del(token);
        holder.renewLater(held, LEASE);
        admin.del(lock);

        trying(one).findBusy();

        expectHolder(first);
    }

    @Test
    void v2_aContenderThatAsksForAFreeLockHearsWhenTheHandoffEnds() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(other);
        admin.del(lock);

        Duration again = trying(one).findBusy();

        expectHolderWithoutWaiters(first);
        assertTrue(again.toMillis() > admin.pttl(lock), "asks again after " + again);
        assertTrue(again.toMillis() <= RedisContender.HANDOFF_LEASE.toMillis() + 1, "asks again after " + again);
    }

    @Test
    void v3_aFreeLockGoesToTheFirstWaiterThatAsks() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(one);
        admin.del(lock);

        first.acquire();

        expectHolderWithWaiters(first);
        expectQueued(second);
        expectTimeToLive(lock, LEASE.toMillis());
    }

    @Test
    void v6_aFreeLockGoesToTheOnlyWaiterThatAsks() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);
        admin.del(lock);

        waiter.acquire();

        expectHolderWithoutWaiters(waiter);
        expectTokenWithoutQueue();
        expectQueued();
    }

    @Test
    void v1_waitersOfSilentClientsAreSkipped() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender silent = queuedWaiter(other);
        TestContender forgotten = queuedWaiter(other);
        TestContender living = queuedWaiter(other);
        TestContender last = queuedWaiter(other);
        goSilent(silent);
        admin.zrem(alive, entry(forgotten));

        release(held);

        expectHolder(living);
        expectQueued(last);
    }

    @Test
    void v1_aFirstWaiterWithoutAHeartbeatIsSkipped() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender forgotten = queuedWaiter(other);
        TestContender living = queuedWaiter(other);
        admin.zrem(alive, entry(forgotten));

        release(held);

        expectHolder(living);
        expectQueued();
    }

    @Test
    void v1_aWaiterCountsForFourSecondsWithoutAHeartbeat() throws InterruptedException {
        waiting(one).acquire();

        TestContender waiter = queuedWaiter(other);

        double aliveUntil = admin.zscore(alive, entry(waiter));
        assertEquals(admin.zscore(queue, entry(waiter)) + ALIVE_FOR * 1_000, aliveUntil);
    }

    @Test
    void v1_aHeartbeatKeepsAWaiterAlive() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);
        Double queuedAt = admin.zscore(queue, entry(waiter));
        goSilent(waiter);
        admin.pexpire(queue, ALIVE_FOR / 2);
        admin.pexpire(alive, ALIVE_FOR / 2);

        waiter.heartbeat();

        assertEquals(queuedAt, admin.zscore(queue, entry(waiter)), "it keeps its position");
        assertTrue(admin.pttl(queue) > ALIVE_FOR / 2);
        assertTrue(admin.pttl(alive) > ALIVE_FOR / 2);
        release(held);
        expectHolder(waiter);
    }

    @Test
    void v2_aHeartbeatFindsAHandoffThatWasNotHeard() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = subscribedWaiter();
        admin.set(lock, waiter.record(1));

        waiter.heartbeat();

        assertEquals(2, waiter.wakeUps.get());
    }

    @Test
    void v2_aHeartbeatFindsAFreeLock() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = subscribedWaiter();
        admin.del(lock);

        waiter.heartbeat();

        assertEquals(2, waiter.wakeUps.get());
    }

    @Test
    void v2_aHeartbeatFindsThatItsQueueEntryWasDropped() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = subscribedWaiter();
        admin.del(queue, alive);

        waiter.heartbeat();

        assertEquals(2, waiter.wakeUps.get());
        assertFalse(admin.exists(queue), "the waiter asks again, because it may have missed its turn");
    }

    @Test
    void v2_aHeartbeatDoesNotWakeItsWaiterWithoutAReason() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = subscribedWaiter();

        waiter.heartbeat();

        assertEquals(1, waiter.wakeUps.get());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v3_aReleaseHandsTheLockToTheFirstWaiter(boolean leavesATombstone) throws InterruptedException {
        Grant held = waiting(leavesATombstone ? repeating : one).acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(other);

        release(held);

        expectHolder(first);
        expectQueued(second);
        expectTimeToLive(lock, RedisContender.HANDOFF_LEASE.toMillis());
        assertTrue(admin.pttl(lock) > RedisContender.HANDOFF_LEASE.toMillis() / 2);
        assertTrue(lastBase() > held.fencingBase());
        expectHolderWithWaiters(first);
        expectTokenWithQueue();
        await("its client is notified", () -> first.wakeUps.get() > 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void v6_aHandoffToTheLastWaiterLeavesNoQueue(int deadEntries) throws InterruptedException {
        Grant held = waiting(one).acquire();
        if (deadEntries > 0) {
            addDeadEntries("lock\t1", deadEntries);
        }
        TestContender last = queuedWaiter(other);

        release(held);

        expectHolderWithoutWaiters(last);
        expectTokenWithoutQueue();
        assertFalse(admin.exists(queue) || admin.exists(alive));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void v2_aReleaseServesTheFirstWaiterWithoutPermissionToPublish(int deadEntries) throws InterruptedException {
        changeRights("resetchannels");
        Grant held = waiting(restricted).acquire();
        if (deadEntries > 0) {
            addDeadEntries("lock\t1", deadEntries);
        }
        TestContender waiter = queuedWaiter(other);

        release(held);

        expectHolder(waiter);
    }

    @Test
    void s7_aWithdrawalRemovesTheQueueEntryAndNothingElse() throws InterruptedException {
        TestContender holder = waiting(one);
        holder.acquire();
        TestContender waiter = queuedWaiter(other);
        TestContender next = queuedWaiter(other);

        waiter.withdraw();

        expectHolder(holder);
        expectQueued(next);
    }

    @Test
    void s7_aWithdrawalEndsAHoldWithoutAnAnswerAndServesTheNextWaiter() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender receiver = queuedWaiter(other);
        TestContender next = queuedWaiter(other);
        release(held);

        receiver.withdraw();

        expectHolder(next);
        expectQueued();
    }

    @Test
    void v6_aReleaseFreesTheLockAfterTheOnlyWaiterHasWithdrawn() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        queuedWaiter(other).withdraw();
        expectHolderWithWaiters(holder);

        release(held);

        assertFalse(admin.exists(lock) || admin.exists(queue) || admin.exists(alive));
    }

    @Test
    void v2_aWithdrawalServesTheNextWhenTheLockIsFree() throws InterruptedException {
        waiting(one).acquire();
        TestContender first = queuedWaiter(other);
        TestContender next = queuedWaiter(other);
        admin.del(lock);

        first.withdraw();

        expectHolder(next);
    }

    @Test
    void v6_theLastWithdrawalLeavesNothing() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = queuedWaiter(other);
        admin.del(lock);

        waiter.withdraw();

        assertFalse(admin.exists(lock) || admin.exists(queue) || admin.exists(alive));
    }

    @ParameterizedTest
    @MethodSource("otherFormats")
    void v3_aReleaseNeitherServesNorDropsAnEntryOfAnotherFormat(String format) throws InterruptedException {
        Grant held = waiting(one).acquire();
        String first = entryOf(format);
        addFirst(first);
        keepAlive(first);
        TestContender behind = queuedWaiter(other);

        release(held);

        assertFalse(admin.exists(lock), "free for the client of the first entry");
        assertEquals(List.of(first, entry(behind)), admin.zrange(queue, 0, -1));
    }

    @ParameterizedTest
    @MethodSource("otherFormats")
    void v3_aContenderBehindAnEntryOfAnotherFormatAsksAgainAfterASecond(String format) throws InterruptedException {
        String first = entryOf(format);
        addFirst(first);
        keepAlive(first);
        TestContender behind = queuedWaiter(other);

        Duration again = trying(one).findBusy();

        assertEquals(Duration.ofMillis(1_001), again);
        assertFalse(admin.exists(lock));
        assertEquals(List.of(first, entry(behind)), admin.zrange(queue, 0, -1));
    }

    @ParameterizedTest
    @MethodSource("otherFormats")
    void v1_anEntryOfAnotherFormatIsDroppedIfItsClientIsSilent(String format) throws InterruptedException {
        addFirst(entryOf(format));

        waiting(one).acquire();

        assertFalse(admin.exists(queue));
    }

    @ParameterizedTest
    @MethodSource("otherRecords")
    void s1_aRecordOfAnotherFormatIsBusyAndStays(String record) throws InterruptedException {
        admin.set(lock, record);

        TestContender waiter = queuedWaiter(other);
        waiter.heartbeat();
        trying(one).findBusy();
        waiter.withdraw();

        assertEquals(record, admin.get(lock));
    }

    @Test
    void v1_aWaiterFarFromTheHeadCountsUntilThreeSecondsAfterItsNextHeartbeat() throws InterruptedException {
        waiting(one).acquire();
        addEntries("lock\t1", 160);
        TestContender waiter = queuedWaiter(other);

        waiter.heartbeat();

        double aliveFor = aliveFor(waiter);
        assertTrue(aliveFor > ALIVE_FOR && aliveFor <= 13_000, "it counts for " + aliveFor + " ms");
        expectTimeToLive(queue, 13_000);
        expectTimeToLive(alive, 13_000);
    }

    @Test
    void v6_aWaiterFarFromTheHeadSendsNoHeartbeatBeforeItIsDue() throws InterruptedException {
        waiting(one).acquire();
        addEntries("lock\t1", 160);
        TestContender waiter = subscribedWaiter();
        waiter.heartbeat();
        Double aliveUntil = admin.zscore(alive, entry(waiter));

        waiter.heartbeat();

        assertEquals(aliveUntil, admin.zscore(alive, entry(waiter)));
        assertEquals(Duration.ofMinutes(10), waiter.findBusy(), "nor does it ask");
        waiter.heartbeat();
        assertTrue(aliveFor(waiter) > ALIVE_FOR, "but after it has asked");
    }

    @Test
    void v1_noHeartbeatKeepsAWaiterForLongerThanALease() throws InterruptedException {
        waiting(one).acquire();
        addEntries("lock\t1", 1_000);
        TestContender waiter = TestContender.waiting(other, name, Duration.ofSeconds(6));
        waiter.findBusy();

        waiter.heartbeat();

        assertTrue(aliveFor(waiter) <= 6_000, "it counts for " + aliveFor(waiter) + " ms");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v1_aWaiterThatComesNearTheHeadIsCalled(boolean clientPublishes) throws InterruptedException {
        RedisBackendBuilder builder = RedisBackend.builder(SERVER.uri());
        if (clientPublishes) {
            builder.publishFromClient();
        }
        try (RedisBackend publishing = started(builder.build())) {
            Grant held = waiting(publishing).acquire();
            TestContender waiter = subscribedWaiter();
            addEntries("lock\t1", 160);
            waiter.heartbeat();
            admin.zremrangeByRank(queue, 0, 160 - 16 - 1);

            release(held);

            await("it is called", () -> waiter.wakeUps.get() == 2);
            assertTrue(aliveFor(waiter) <= ALIVE_FOR, "it counts for " + aliveFor(waiter) + " ms");
            goSilent(waiter);
            waiter.heartbeat();
            assertTrue(aliveFor(waiter) > 0, "it sends heartbeats again");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v1_aGrantToAWaiterThatAsksCallsTheOneThatComesNearTheHead(boolean clientPublishes)
            throws InterruptedException {
        RedisBackendBuilder builder = RedisBackend.builder(SERVER.uri());
        if (clientPublishes) {
            builder.publishFromClient();
        }
        try (RedisBackend publishing = started(builder.build())) {
            waiting(one).acquire();
            TestContender first = queuedWaiter(publishing);
            admin.zadd(queue, 0.5, entry(first));
            TestContender waiter = subscribedWaiter();
            addEntries("lock\t1", 160);
            waiter.heartbeat();
            admin.zremrangeByRank(queue, 1, 145);
            admin.del(lock);

            first.acquire();

            await("it is called", () -> waiter.wakeUps.get() == 2);
        }
    }

    @Test
    void v3_aWaiterWithoutASubscriptionSendsEachHeartbeat() throws InterruptedException {
        waiting(one).acquire();
        addEntries("lock\t1", 160);
        changeRights("resetchannels");
        TestContender waiter = queuedWaiter(restricted);
        waiter.heartbeat();
        goSilent(waiter);

        waiter.heartbeat();

        assertTrue(aliveFor(waiter) > 0, "it counts for " + aliveFor(waiter) + " ms");
    }

    @Test
    void s12_anotherKindIsNotQueuedWhileEntriesOfSilentClientsAreLeft() throws InterruptedException {
        addDeadEntries("read\t1", 1_000);

        TestContender waiter = queuedWaiter(other);

        assertTrue(admin.zrange(queue, 0, -1).stream().noneMatch(entry -> entry.contains(waiter.value())));
        assertFalse(admin.exists(lock), "no handoff to what is not queued");
    }

    @Test
    void v1_aHeartbeatFarFromTheHeadDropsDeadEntries() throws InterruptedException {
        waiting(one).acquire();
        TestContender waiter = subscribedWaiter();
        addDeadEntries("lock\t1", 32);
        queuedWaiter(other);

        waiter.heartbeat();

        assertEquals(2, admin.zcard(queue));
        await("it is called, because it is near the head now", () -> waiter.wakeUps.get() == 2);
    }

    @Test
    void v1_aReleaseServesTheWaiterBehindManyDeadEntries() throws InterruptedException {
        Grant held = waiting(one).acquire();
        addDeadEntries("lock\t1", 1_000);
        TestContender waiter = queuedWaiter(other);

        release(held);

        expectHolder(waiter);
        expectQueued();
    }

    @Test
    void v1_aScriptDropsABoundedNumberOfDeadEntriesAndTheNextOneGoesOn() throws InterruptedException {
        TestContender holder = waiting(one);
        holder.acquire();
        addDeadEntries("lock\t1", 1_000);
        TestContender waiter = queuedWaiter(other);

        Object reply = admin.eval(
                new String(Script.RELEASE.text(new Script.Settings(Publisher.SCRIPT, 1)).source, UTF_8),
                List.of(lock, token, queue, alive),
                List.of("request", holder.value(), "0", "0"));

        assertEquals(List.of("request", List.of("", "more")), reply);
        assertEquals(1_000 - 64 + 1, admin.zcard(queue));
        assertFalse(admin.exists(lock), "nobody is served before the others are dropped");
        assertEquals(Duration.ofMillis(1_001), trying(one).findBusy(), "nobody overtakes");
        expectHolder(waiter);
    }
}
