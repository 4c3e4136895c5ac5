package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.params.SetParams;

/** S13: the record of a kept lock on the server, whom it keeps out, and how waiters learn of it. */
class KeptLockTest extends ContenderTest {
    private static final Duration KEPT = Duration.ofMinutes(1);
    private static final Duration BRIEFLY = Duration.ofMillis(300);

    private final RedisBackend publishing =
            started(RedisBackend.builder(SERVER.uri()).publishFromClient().build());

    @AfterEach
    void closePublishing() {
        publishing.close();
    }

    private static void keep(Grant held, Duration time) throws InterruptedException {
        assertEquals(Grant.Release.RELEASED, held.keep(time, TestContender.deadline()));
    }

    /** The record that {@code docs/redis.md} describes. */
    private static String keptRecord(TestContender last, long base) {
        return last.record(base).replaceFirst("^\\S+\t1\tlock\t", "kept\t1\tkept\t");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s13_theLockKeyKeepsAnotherRecordUntilTheTimeIsOver(boolean repeats) throws InterruptedException {
        TestContender holder = trying(repeats ? repeating : one);
        Grant held = holder.acquire();

        keep(held, KEPT);

        assertEquals(keptRecord(holder, held.fencingBase()), admin.get(lock));
        expectTimeToLive(lock, KEPT.toMillis());
        expectTimeToLive(token, KEPT.plusHours(1).toMillis());
        trying(other).findBusy();
        assertNull(admin.set(lock, "value", SetParams.setParams().nx().px(1)), "a plain client is kept out");
    }

    @Test
    void s13_theTokenOutlivesALongMinimumHold() throws InterruptedException {
        Duration day = Duration.ofHours(24);
        Grant held = trying(one).acquire();

        keep(held, day);

        expectTimeToLive(token, day.plusHours(1).toMillis());
        assertEquals(held.fencingBase(), lastBase());
    }

    @Test
    void s13_whatTheFormerHolderSendsLaterChangesNothing() throws InterruptedException {
        TestContender holder = waiting(one);
        Grant held = holder.acquire();
        keep(held, KEPT);
        String kept = admin.get(lock);

        keep(held, KEPT.multipliedBy(2));
        release(held);
        assertEquals("gone", holder.renew(held, LEASE));
        holder.withdraw();

        assertEquals(kept, admin.get(lock));
        expectTimeToLive(lock, KEPT.toMillis());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s13_aHoldThatIsGoneKeepsNothing(boolean repeats) throws InterruptedException {
        Grant held = trying(repeats ? repeating : one).acquire();
        admin.del(lock);

        assertEquals(Grant.Release.GONE, held.keep(KEPT, TestContender.deadline()));

        assertFalse(admin.exists(lock));
    }

    @Test
    void s5_aHoldThatIsGoneDoesNotKeepThatOfAnotherClient() throws InterruptedException {
        Grant held = trying(one).acquire();
        admin.del(lock);
        TestContender holder = waiting(other);
        holder.acquire();

        assertEquals(Grant.Release.GONE, held.keep(KEPT, TestContender.deadline()));

        expectHolderWithoutWaiters(holder);
    }

    @Test
    void v6_aReleaseThatKeepsTheLockLeavesOnlyTheRecordAndTheToken() throws InterruptedException {
        keep(trying(one).acquire(), KEPT);

        assertEquals(Set.of(lock, token), admin.keys("*" + name + "*"));
    }

    @Test
    void s7_aRequestThatArrivesAfterItsReleaseIsRefused() throws InterruptedException {
        TestContender contender = trying(repeating);
        keep(contender.acquire(), KEPT);

        assertThrows(IllegalStateException.class, contender::attempt);
    }

    @Test
    void s7_aReleaseThatArrivesTwiceHasReleasedAndKeepsTheLockOnce() throws InterruptedException {
        TestContender contender = waiting(repeating);
        Grant held = contender.acquire();
        Grant sameHold = contender.acquire();
        keep(held, KEPT);

        keep(sameHold, KEPT.multipliedBy(2));

        expectTimeToLive(lock, KEPT.toMillis());
    }

    @Test
    void s3_aTokenThatWasLostIsRestoredWithTheFlagOfAQueue() throws InterruptedException {
        Grant held = trying(one).acquire();
        admin.del(token);

        keep(held, KEPT);

        assertEquals(held.fencingBase(), lastBase());
        expectTokenWithQueue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "1\n", "no number"})
    void s3_theTokenIsKeptWhateverItsBase(String last) throws InterruptedException {
        Grant held = trying(one).acquire();
        admin.set(token, last);

        keep(held, KEPT);

        assertEquals(last, admin.get(token));
        expectTimeToLive(token, KEPT.plus(TOKEN_KEPT).toMillis());
    }

    @Test
    void s3_aTokenAheadOfTheClockIsKeptUntilTheClockHasPassedIt() throws InterruptedException {
        Duration day = Duration.ofDays(1);
        Grant held = trying(one).acquire();
        admin.set(token, Long.toString(serverMicros() + day.toMillis() * 1_000));

        keep(held, KEPT);

        expectTimeToLive(token, day.plus(KEPT).plus(TOKEN_KEPT).toMillis());
    }

    @Test
    void s13_waitersAreServedInTheirOrderWhenTheTimeIsOver() throws InterruptedException {
        TestContender holder = trying(one);
        Grant held = holder.acquire();
        TestContender first = queuedWaiter(other);
        TestContender second = queuedWaiter(one);

        keep(held, KEPT);
        assertEquals(keptRecord(holder, held.fencingBase()), admin.get(lock), "without the flag of waiters");
        expectQueued(first, second);
        admin.pexpire(lock, BRIEFLY.toMillis());
        await("the key has expired", () -> !admin.exists(lock));
        trying(repeating).findBusy();

        expectHolder(first);
        expectQueued(second);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v2_theFirstWaiterIsToldAndLearnsWhenToAskAgain(boolean clientPublishes) throws InterruptedException {
        Grant held = trying(clientPublishes ? publishing : one).acquire();
        TestContender waiter = queuedWaiter(other);
        await("the waiter is subscribed", () -> waiter.wakeUps.get() > 0);
        waiter.findBusy();
        int before = waiter.wakeUps.get();

        keep(held, Duration.ofSeconds(2));

        await("the message has arrived", () -> waiter.wakeUps.get() > before);
        assertTrue(waiter.findBusy().compareTo(Duration.ofMillis(2_001)) <= 0, "asks when the key expires");
        await("the key has expired", () -> !admin.exists(lock));
        waiter.acquire();
        expectHolder(waiter);
    }

    @Test
    void v2_aWaiterThatMissesTheMessageFindsOutWithAHeartbeat() throws InterruptedException {
        Grant held = trying(one).acquire();
        TestContender waiter = queuedWaiter(other);
        keep(held, BRIEFLY);
        await("the key has expired", () -> !admin.exists(lock));
        int before = waiter.wakeUps.get();

        waiter.heartbeat();

        assertTrue(waiter.wakeUps.get() > before);
        waiter.acquire();
    }

    /** A client of the first revision takes the record for one of another kind: see {@code acquire.lua}. */
    @Test
    void s13_aKeptLockIsARecordOfAnotherKindForEachScript() throws InterruptedException {
        Grant held = trying(one).acquire();
        keep(held, KEPT);
        String kept = admin.get(lock);

        List<TestContender> others = List.of(waiting(one), waiting(other), trying(repeating));
        for (TestContender each : others) {
            each.findBusy();
        }
        others.get(0).heartbeat();
        others.get(1).withdraw();

        assertEquals(kept, admin.get(lock));
        assertTrue(Stream.of(kept.split("\t", -1)).noneMatch(String::isEmpty));
    }

    @Test
    void s12_aKeptNameIsALockAlsoIfTheTokenIsLost() throws InterruptedException {
        keep(trying(one).acquire(), KEPT);
        admin.del(token);

        RequestRefusedException refusal = assertThrows(
                RequestRefusedException.class,
                () -> TestContender.waiting(other, name, LockMode.READ, LEASE).attempt());

        assertTrue(String.valueOf(refusal.getMessage()).contains("used as a lock"), refusal.getMessage());
    }

    @Test
    void api_theBaseOfTheLastHolderNamesNoKeptLock() throws InterruptedException {
        Grant held = trying(one).acquire();
        keep(held, KEPT);
        TestContender waiter = queuedWaiter(other);
        String kept = admin.get(lock);

        assertEquals(List.of(), forceRelease(one, name, held.fencingBase()));

        assertEquals(kept, admin.get(lock));
        expectQueued(waiter);
    }

    @Test
    void api_theInspectorShowsTheLastHolderAndAForcedReleaseServesTheQueue() throws InterruptedException {
        TestContender holder = trying(one);
        keep(holder.acquire(), KEPT);
        TestContender waiter = queuedWaiter(other);

        LockStatus status = one.inspect(name, TestContender.deadline());
        List<LockStatus.Holder> ended = one.forceRelease(name, OptionalLong.empty(), TestContender.deadline());

        assertEquals(List.of(), status.holders());
        assertEquals(holder.owner(), status.kept().orElseThrow().owner());
        Duration left = status.kept().orElseThrow().remaining();
        assertTrue(left.compareTo(KEPT.minus(PATIENCE)) > 0 && left.compareTo(KEPT) <= 0, "left: " + left);
        expectWaiters(status, waiter);
        assertEquals(List.of(), ended);
        expectHolder(waiter);
    }
}
