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
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;

/** What the scripts answer and leave when locks are acquired, renewed, released and looked at. */
class HoldScriptsTest extends ContenderTest {
    private static final long TOKEN_KEPT = 3_600_000;

    /** The server's clock was ahead by a day when it gave this base. */
    private long lastBaseIsAhead() {
        long ahead = serverMicros() + 86_400_000_000L;
        admin.set(token, Long.toString(ahead));
        return ahead;
    }

    private static void expectHold(TestContender expected, Grant held, LockStatus.Holder seen) {
        assertEquals(expected.owner(), seen.owner());
        assertEquals(held.fencingBase(), seen.fencingToken() >> 8);
        assertEquals(Instant.ofEpochMilli(held.fencingBase() / 1_000), seen.since());
        Duration left = seen.remainingLease();
        assertTrue(left.compareTo(LEASE.minus(PATIENCE)) > 0 && left.compareTo(LEASE) <= 0, "left: " + left);
    }

    @Test
    void s1_aFreeLockIsGivenForItsLeaseAndRemembersItsLastGrant() throws InterruptedException {
        TestContender contender = trying(one);

        Grant held = contender.acquire();

        expectHolder(contender);
        expectTimeToLive(lock, LEASE.toMillis());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT);
        assertEquals(contender.record(held.fencingBase()), admin.get(lock));
        assertEquals(held.fencingBase(), lastBase());
        assertFalse(admin.exists(queue) || admin.exists(alive), "a single try needs no queue entry");
    }

    @Test
    void s2_aRepeatedRequestFindsItsHoldAndRestartsItsLease() throws InterruptedException {
        TestContender contender = waiting(one);
        long base = contender.acquire().fencingBase();
        admin.pexpire(lock, PATIENCE.toMillis());

        assertEquals(base, contender.acquire().fencingBase());

        expectTimeToLive(lock, LEASE.toMillis());
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

    @Test
    void s3_aTokenIsNotBelowTheServersClock() throws InterruptedException {
        long before = serverMicros();

        assertTrue(trying(one).acquire().fencingBase() >= before);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s3_aTokenIsGreaterThanTheLastAndThanTheClientsGreatest(boolean queueExists) throws InterruptedException {
        if (queueExists) {
            release(trying(repeating).acquire());
        }
        long ahead = lastBaseIsAhead();

        TestContender next = trying(one);
        assertEquals(ahead + 1, next.acquire().fencingBase());

        assertEquals(next.record(ahead + 1), admin.get(lock));
        assertEquals(ahead + 1, lastBase());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT);
        admin.del(lock, token);
        TestContender knowing = TestContender.knowing(ahead + 1, other, name, LEASE);
        assertEquals(ahead + 2, knowing.acquire().fencingBase());
    }

    @Test
    void v2_aBusyAnswerSaysWhenTheHoldEnds() throws InterruptedException {
        admin.set(lock, "a foreign value", SetParams.setParams().px(1_000));

        Duration again = trying(one).findBusy();

        assertTrue(again.toMillis() > admin.pttl(lock) && again.toMillis() <= 1_001, "asks again after " + again);
    }

    @Test
    void s5_aKeyThatIsNoStringIsBusyAndStays() throws InterruptedException {
        admin.hset(lock, "field", "value");
        admin.pexpire(lock, 1_000);

        Duration again = trying(one).findBusy();

        assertTrue(again.toMillis() > 1_001, "its expiry is no lease, but the contender asks again after " + again);
        assertEquals(Map.of("field", "value"), admin.hgetAll(lock));
    }

    @Test
    void s5_aServerThatForbidsToReadTheKeyDoesNotSayThatTheHoldIsGone() throws InterruptedException {
        TestContender contender = waiting(restricted);
        Grant held = contender.acquire();
        changeRights("-get");

        assertInstanceOf(JedisDataException.class, contender.renew(held, LEASE));

        RequestRefusedException refused =
                assertThrows(RequestRefusedException.class, () -> held.release(TestContender.deadline()));
        assertTrue(refused.getMessage().contains(name), refused.getMessage());
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

        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT);
        admin.del(token);
        contender.renewLater(held, LEASE);
        assertEquals(held.fencingBase(), lastBase());
        expectTimeToLive(token, LEASE.toMillis() + TOKEN_KEPT);
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
        release(trying(repeating).acquire());
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
        assertEquals(List.of(first.owner(), second.owner()), status.waiters());
    }

    @Test
    void api_aForcedReleaseEndsTheHoldAndServesTheNext() throws InterruptedException {
        TestContender contender = waiting(one);
        Grant held = contender.acquire();
        TestContender next = queuedWaiter(other);

        List<LockStatus.Holder> ended = one.forceRelease(name, TestContender.deadline());

        assertEquals(1, ended.size());
        expectHold(contender, held, ended.get(0));
        expectHolder(next);
    }

    @Test
    void api_aForcedReleaseOfAFreeLockChangesNothing() throws InterruptedException {
        assertTrue(one.forceRelease(name, TestContender.deadline()).isEmpty());

        assertFalse(admin.exists(lock));
    }
}
