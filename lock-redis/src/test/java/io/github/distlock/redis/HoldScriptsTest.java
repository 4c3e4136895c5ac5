package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.params.SetParams;

/** What the scripts answer and leave when locks are acquired, renewed, released and looked at. */
class HoldScriptsTest extends ContenderTest {
    private static final long A_DAY = 86_400_000;

    /** What an earlier hold has left. Only with a token and without a queue, one request of an acquire suffices. */
    private enum Left {
        NOTHING,
        TOKEN,
        QUEUE
    }

    private void leave(Left left) throws InterruptedException {
        switch (left) {
            case NOTHING -> {}
            case TOKEN -> release(trying(one).acquire());
            case QUEUE -> release(trying(repeating).acquire());
        }
    }

    private void becomeHash(String key) {
        admin.del(key);
        admin.hset(key, "field", "value");
    }

    private void expectHash(String key) {
        assertEquals(Map.of("field", "value"), admin.hgetAll(key));
    }

    /** The server's clock was ahead by a day when it gave this base. */
    private long lastBaseIsAhead() {
        long ahead = serverMicros() + A_DAY * 1_000;
        admin.set(token, ahead + (admin.exists(queue) ? "\n" : ""));
        return ahead;
    }

    private static void expectHold(TestContender expected, Grant held, LockStatus.Holder seen) {
        assertEquals(expected.owner(), seen.owner());
        assertEquals(held.fencingBase(), seen.fencingToken() >> 8);
        assertEquals(Instant.ofEpochMilli(held.fencingBase() / 1_000), seen.since());
        Duration left = seen.remainingLease();
        assertTrue(left.compareTo(LEASE.minus(PATIENCE)) > 0 && left.compareTo(LEASE) <= 0, "left: " + left);
    }

    @ParameterizedTest
    @EnumSource
    void s1_aFreeLockIsGivenForItsLeaseAndRemembersItsLastGrant(Left left) throws InterruptedException {
        leave(left);
        TestContender contender = trying(one);

        Grant held = contender.acquire();

        assertEquals(contender.record(held.fencingBase()), admin.get(lock));
        assertEquals(held.fencingBase() + (left == Left.QUEUE ? "\n" : ""), admin.get(token));
        expectTimeToLive(lock, LEASE.toMillis());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
        expectQueued();
        assertEquals(left == Left.QUEUE, admin.exists(queue), "a single try needs no queue");
    }

    @ParameterizedTest
    @EnumSource
    void api_aGrantTellsItsClientWhetherTheLockHasAQueue(Left left) throws InterruptedException {
        leave(left);

        trying(other).acquire();

        assertEquals(left == Left.QUEUE, other.contention.isLikely(name));
    }

    @Test
    void s2_aRepeatedRequestFindsItsHoldAndRestartsItsLease() throws InterruptedException {
        TestContender contender = waiting(one);
        long base = contender.acquire().fencingBase();
        admin.pexpire(lock, PATIENCE.toMillis());

        assertEquals(base, contender.acquire().fencingBase());

        expectTimeToLive(lock, LEASE.toMillis());
        expectHolderWithoutWaiters(contender);
    }

    @Test
    void s2_aValueIsNoPattern() throws InterruptedException {
        TestContender contender = waiting(one);
        while (contender.value().indexOf('-') < 1) {
            contender = waiting(one);
        }
        Grant held = contender.acquire();

        contender.acquire();

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));
        release(held);
    }

    @ParameterizedTest
    @ValueSource(strings = {"another\t%s\t", "%s1\t"})
    void s1_aRecordThatOnlyContainsAValueIsAnotherHolders(String text) throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        String record = String.format(text, contender.value());
        admin.set(lock, record);

        contender.findBusy();

        assertEquals("gone", contender.renew(held, LEASE));
        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));
        assertEquals(record, admin.get(lock));
    }

    @Test
    void s3_aRepeatedRequestGetsATokenAboveTheClientsGreatest() throws InterruptedException {
        long ahead = lastBaseIsAhead();
        TestContender contender = TestContender.knowing(ahead + 1, one, name, LEASE);
        admin.set(lock, contender.record(ahead + 1));

        assertEquals(ahead + 2, contender.acquire().fencingBase());

        assertEquals(contender.record(ahead + 2), admin.get(lock));
        assertEquals(ahead + 2, lastBase());
    }

    @ParameterizedTest
    @EnumSource
    void s3_aTokenIsNotBelowTheServersClock(Left left) throws InterruptedException {
        leave(left);
        long before = serverMicros();

        assertTrue(trying(one).acquire().fencingBase() >= before);
    }

    @Test
    void s3_aTokenHasAllItsDigitsAtTheBeginningOfASecond() throws InterruptedException {
        leave(Left.TOKEN);
        TestContender contender = trying(one);
        await("a second has begun", () -> serverMicros() % 1_000_000 < 50_000);
        long before = serverMicros();

        List<?> reply = contender.acquireFree(LEASE);

        assertTrue(Replies.number(reply.get(0)) >= before);
        assertEquals(Replies.number(reply.get(0)), lastBase());
        expectHolderWithoutWaiters(contender);
    }

    @ParameterizedTest
    @EnumSource
    void s3_aTokenIsNotBelowTheServersClockIfTheServerHasLostTheLastOne(Left left) throws InterruptedException {
        leave(left);
        admin.del(token);
        long before = serverMicros();

        assertTrue(trying(one).acquire().fencingBase() >= before);
    }

    @ParameterizedTest
    @EnumSource
    void s3_aTokenIsGreaterThanTheLast(Left left) throws InterruptedException {
        leave(left);
        long ahead = lastBaseIsAhead();
        TestContender contender = trying(one);

        assertEquals(ahead + 1, contender.acquire().fencingBase());

        assertEquals(contender.record(ahead + 1), admin.get(lock));
        assertEquals(ahead + 1, lastBase());
        expectTimeToLive(token, A_DAY + LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_aRequestThatFindsATokenAheadOfTheClockKeepsItUntilTheClockHasPassedIt() throws InterruptedException {
        long ahead = lastBaseIsAhead();

        assertEquals(List.of(), trying(one).acquireFree(LEASE));

        assertEquals(ahead, lastBase());
        expectTimeToLive(token, A_DAY + LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1\n", "no number"})
    void s3_aRequestThatFindsAnOldTokenDoesNotShortenItsTime(String last) throws InterruptedException {
        admin.set(token, last);

        assertEquals(List.of(), trying(one).acquireFree(LEASE));

        assertEquals(last, admin.get(token));
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_aRepeatedRequestDoesNotShortenTheTimeOfItsToken() throws InterruptedException {
        TestContender contender = waiting(one);
        admin.set(lock, contender.record(1));

        assertEquals(1, contender.acquire().fencingBase());

        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_aRenewalDoesNotShortenTheTimeOfAnOldToken() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        admin.set(token, "1");

        contender.renewLater(held, LEASE);

        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s3_aRenewalKeepsATokenAheadOfTheClockUntilTheClockHasPassedIt(boolean lost) throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        long ahead = lastBaseIsAhead();
        if (lost) {
            admin.set(lock, contender.record(ahead));
            admin.del(token);
        }

        contender.renewLater(held, LEASE);

        assertEquals(ahead, lastBase());
        expectTimeToLive(token, A_DAY + LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_aHandoffKeepsATokenAheadOfTheClockUntilTheClockHasPassedIt() throws InterruptedException {
        Grant held = waiting(one).acquire();
        TestContender next = waiting(other);
        next.findBusy();
        long ahead = lastBaseIsAhead();

        release(held);

        expectHolder(next);
        assertEquals(ahead + 1, lastBase());
        expectTimeToLive(token, A_DAY + RedisContender.HANDOFF_LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_aRequestTakesTheTokensThatTheClientHasBeenGrantedSince() throws InterruptedException {
        AtomicLong greatest = new AtomicLong();
        TestContender contender = TestContender.knowing(greatest::get, one, name, LEASE);
        long ahead = serverMicros() + A_DAY * 1_000;
        greatest.set(ahead);

        assertEquals(ahead + 1, contender.acquire().fencingBase());
    }

    @Test
    void s3_aRepeatedRequestDoesNotLowerTheToken() throws InterruptedException {
        TestContender contender = waiting(one);
        contender.acquire();
        long ahead = lastBaseIsAhead();

        assertEquals(ahead + 1, contender.acquire().fencingBase());

        assertEquals(contender.record(ahead + 1), admin.get(lock));
        assertEquals(ahead + 1, lastBase());
    }

    @ParameterizedTest
    @EnumSource
    void s3_aTokenIsGreaterThanTheClientsGreatest(Left left) throws InterruptedException {
        leave(left);
        long ahead = serverMicros() + 86_400_000_000L;
        TestContender contender = TestContender.knowing(ahead, one, name, LEASE);

        assertEquals(ahead + 1, contender.acquire().fencingBase());

        assertEquals(contender.record(ahead + 1), admin.get(lock));
        assertEquals(ahead + 1, lastBase());
    }

    @Test
    void s3_aLastTokenCountsIfMoreThanItsNumberIsStored() throws InterruptedException {
        long ahead = lastBaseIsAhead();
        admin.append(token, "\tmore");

        assertEquals(ahead + 1, trying(one).acquire().fencingBase());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s3_anAcquireWhoseTokenIsRefusedLeavesNoHold(boolean mayRepeat) throws InterruptedException {
        TestContender contender = trying(mayRepeat ? repeating : one);
        becomeHash(token);

        Exception refused = assertThrows(RequestRefusedException.class, contender::attempt);

        assertTrue(refused.getMessage().contains("WRONGTYPE"), refused.getMessage());
        assertFalse(admin.exists(lock));
        expectHash(token);
    }

    @Test
    void v2_aBusyAnswerSaysWhenTheHoldEnds() throws InterruptedException {
        admin.set(lock, "a foreign value", SetParams.setParams().px(4_000));

        Duration again = trying(one).findBusy();

        assertTrue(again.toMillis() > admin.pttl(lock) && again.toMillis() <= 4_001, "asks again after " + again);
    }

    @Test
    void s5_aKeyThatIsNoStringIsBusyAndStays() throws InterruptedException {
        becomeHash(lock);
        admin.pexpire(lock, 4_000);

        Duration again = trying(one).findBusy();

        assertTrue(again.toMillis() > 4_001, "its expiry is no lease, but the contender asks again after " + again);
        expectHash(lock);
    }

    @Test
    void s5_aHoldWhoseKeyIsNoStringAnyMoreIsGone() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        becomeHash(lock);

        assertEquals("gone", contender.renew(held, LEASE));

        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));
        expectHash(lock);
    }

    @Test
    void s5_aServerThatForbidsToReadTheKeyDoesNotSayThatTheHoldIsGone() throws InterruptedException {
        TestContender contender = waiting(restricted);
        Grant held = contender.acquire();
        changeRights("-get");

        assertInstanceOf(RequestRefusedException.class, contender.renew(held, LEASE));

        RequestRefusedException refused =
                assertThrows(RequestRefusedException.class, () -> held.release(TestContender.deadline()));
        assertTrue(refused.getMessage().contains(name), refused.getMessage());
    }

    @Test
    void s14_aRenewalThatArrivesLateDoesNotShortenALongerLease() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        Duration longer = LEASE.multipliedBy(4);
        assertInstanceOf(Validity.class, contender.renew(held, longer));

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));
        contender.renewLater(held, LEASE);

        expectTimeToLive(lock, longer.toMillis());
        expectTimeToLive(token, longer.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s14_aRepeatedRequestThatArrivesLateDoesNotShortenALongerLease() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        Duration longer = LEASE.multipliedBy(4);
        assertInstanceOf(Validity.class, contender.renew(held, longer));

        contender.acquire();

        expectTimeToLive(lock, longer.toMillis());
    }

    @Test
    void s6_aRenewalExtendsTheHold() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        Duration longer = LEASE.multipliedBy(4);

        Object answer = contender.renew(held, longer);

        assertEquals(longer, assertInstanceOf(Validity.class, answer).length());
        expectTimeToLive(lock, longer.toMillis());
        assertEquals(0, contender.timesWanted.get());
    }

    @Test
    void s3_aRenewalKeepsTheTokenBeforeHalfOfItsTime() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        admin.pexpire(token, PATIENCE.toMillis());

        contender.renewLater(held, LEASE);

        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
        admin.del(token);
        contender.renewLater(held, LEASE);
        assertEquals(held.fencingBase() + "\n", admin.get(token), "the queue may exist");
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT.toMillis());
    }

    @Test
    void s3_theTokenIsKeptAgainOnlyAfterHalfOfItsTime() throws InterruptedException {
        RedisGrant held = (RedisGrant) waiting(one).acquire();
        long granted = held.validity().from().nanoTime();
        long later = granted + Duration.ofMinutes(31).toNanos();
        assertEquals(1, keysOf(held.renewal(LEASE, granted)));
        assertEquals(2, keysOf(held.renewal(LEASE, later)));

        held.noteRenewed(LEASE, later);

        assertEquals(1, keysOf(held.renewal(LEASE, later + 1)));
        assertEquals(
                2, keysOf(held.renewal(LEASE, later + Duration.ofMinutes(31).toNanos())));
    }

    @Test
    void s3_aRenewalForLongerThanTheTokenIsKeptKeepsTheToken() throws InterruptedException {
        TestContender contender = waiting(one);
        RedisGrant held = (RedisGrant) contender.acquire();
        Duration longer = Duration.ofHours(10);

        assertInstanceOf(Validity.class, contender.renew(held, longer));

        expectTimeToLive(token, longer.toMillis() + TOKEN_KEPT.toMillis());
        long now = System.nanoTime();
        assertEquals(1, keysOf(held.renewal(LEASE, now)), "the token is kept for long enough");
    }

    private static int keysOf(ScriptCall renewal) {
        return renewal.keys().size();
    }

    @Test
    void s3_aRenewalDoesNotLowerTheToken() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        long ahead = lastBaseIsAhead();

        contender.renewLater(held, LEASE);

        assertEquals(ahead, lastBase());
    }

    @Test
    void s6_aRenewalTouchesTheLockKeyAlone() throws InterruptedException {
        TestContender contender = waiting(restricted);
        Grant held = contender.acquire();
        admin.del(token);
        changeRights("resetkeys", "~" + lock);

        assertInstanceOf(Validity.class, contender.renew(held, LEASE.multipliedBy(2)));

        expectTimeToLive(lock, LEASE.multipliedBy(2).toMillis());
        assertFalse(admin.exists(token));
    }

    @Test
    void v3_aRenewalSaysThatOthersWait() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        queuedWaiter(other);

        assertInstanceOf(Validity.class, contender.renew(held, LEASE));

        assertEquals(1, contender.timesWanted.get());
    }

    @Test
    void s5_aRenewalOfAHoldThatIsOverCreatesNoneAndSparesTheNext() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        admin.del(lock);

        assertEquals("gone", contender.renew(held, LEASE));

        assertFalse(admin.exists(lock));
        TestContender next = TestContender.trying(other, name, PATIENCE);
        next.acquire();
        assertEquals("gone", contender.renew(held, LEASE));
        expectHolder(next);
        expectTimeToLive(lock, PATIENCE.toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aReleaseOfAHoldThatIsOverChangesNothing(boolean mayRepeat) throws InterruptedException {
        Grant held = waiting(mayRepeat ? repeating : one).acquire();
        admin.del(lock);
        TestContender next = waiting(other);
        next.acquire();

        assertEquals(Grant.Release.GONE, held.release(TestContender.deadline()));

        expectHolder(next);
    }

    @Test
    void v6_aReleaseLeavesOnlyTheMemoryOfItsToken() throws InterruptedException {
        release(trying(one).acquire());

        assertEquals(Set.of(token), admin.keys("*" + name + "*"));
    }

    @Test
    void api_inspectionShowsHolderAndLivingWaitersInTheirOrder() throws InterruptedException {
        leave(Left.QUEUE);
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        TestContender silent = queuedWaiter(other);
        TestContender forgotten = queuedWaiter(other);
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(other);
        goSilent(silent);
        admin.zrem(alive, entry(forgotten));

        LockStatus status = one.inspect(name, TestContender.deadline());

        expectHold(contender, held, status.holders().get(0));
        expectWaiters(status, first, second);
    }

    @Test
    void api_aForcedReleaseEndsTheHoldAndServesTheNext() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        TestContender next = queuedWaiter(other);

        List<LockStatus.Holder> ended = one.forceRelease(name, OptionalLong.empty(), TestContender.deadline());

        assertEquals(1, ended.size());
        expectHold(contender, held, ended.get(0));
        expectHolder(next);
    }

    @Test
    void api_aForcedReleaseByABaseEndsTheHoldAndServesTheNext() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        TestContender next = queuedWaiter(other);

        List<LockStatus.Holder> ended = forceRelease(one, name, held.fencingBase());

        assertEquals(1, ended.size());
        expectHold(contender, held, ended.get(0));
        expectHolder(next);
        assertEquals(List.of(), forceRelease(one, name, held.fencingBase()));
        expectHolder(next);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1})
    void api_aForcedReleaseByAnotherBaseChangesNothing(long difference) throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        TestContender next = queuedWaiter(other);

        assertEquals(List.of(), forceRelease(one, name, held.fencingBase() + difference));

        expectHolderWithWaiters(contender);
        expectQueued(next);
    }

    @Test
    void api_noBaseNamesAForeignHold() throws InterruptedException {
        admin.set(lock, "a foreign value");
        long shown =
                one.inspect(name, TestContender.deadline()).holders().get(0).fencingToken() >> 8;

        assertEquals(List.of(), forceRelease(one, name, shown));

        assertEquals("a foreign value", admin.get(lock));
    }

    @Test
    void api_aForcedReleaseOfAFreeLockChangesNothing() throws InterruptedException {
        assertTrue(one.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                .isEmpty());

        assertFalse(admin.exists(lock));
    }

    @ParameterizedTest
    @EnumSource
    void v6_aTokenIsKeptForTheTimeThatTheClientSays(Left left) throws InterruptedException {
        leave(left);
        try (RedisBackend brief = started(RedisBackend.builder(SERVER.uri())
                .keepTokensFor(Duration.ofSeconds(90))
                .build())) {
            TestContender holder = trying(brief);

            Grant held = holder.acquire();

            expectTimeToLive(token, LEASE.toMillis() + 90_000);
            admin.pexpire(token, 10_000);
            Duration longer = LEASE.multipliedBy(2);
            assertInstanceOf(Validity.class, holder.renew(held, longer));
            expectTimeToLive(token, 10_000);
            holder.renewAfter(Duration.ofSeconds(46), held, longer);
            expectTimeToLive(token, longer.toMillis() + 90_000);
        }
    }

    @Test
    void v6_aReleaseToAWaiterKeepsTheTokenForTheTimeThatItsClientSays() throws InterruptedException {
        try (RedisBackend brief = started(RedisBackend.builder(SERVER.uri())
                .keepTokensFor(Duration.ofSeconds(90))
                .build())) {
            Grant held = waiting(brief).acquire();
            queuedWaiter(other);

            release(held);

            expectTimeToLive(token, RedisContender.HANDOFF_LEASE.toMillis() + 90_000);
        }
    }

    @Test
    void v6_namesThatAreUsedOnceLeaveNothingThatGrows() throws InterruptedException {
        List<String> names =
                IntStream.range(0, 300).mapToObj(i -> name + "-" + i).toList();

        for (String each : names) {
            TestContender contender = TestContender.waiting(one, each, LEASE);
            release(contender.acquire());
            contender.forget();
            expectTimeToLive("distlock:{distlock:" + each + "}:token", LEASE.toMillis() + TOKEN_KEPT.toMillis());
        }

        for (String each : names) {
            assertFalse(admin.exists("distlock:" + each));
        }
        assertEquals(names.size(), admin.keys("*" + name + "*").size());
        assertTrue(one.waiting.isEmpty());
        assertTrue(one.grantedBases.names.isEmpty());
    }
}
